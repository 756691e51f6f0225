import type { Prompter } from './prompter.ts';

/** A time limit that does not run while a person is being asked. */
export class Deadline {
  private timer: NodeJS.Timeout | null = null;
  private startedAt = 0;
  private asking = 0;
  private isStopped = false;

  constructor(
    private milliseconds: number,
    private readonly expire: () => void,
  ) {
    this.run();
  }

  /** The same prompter; while it asks, the time stands still. */
  excluding(prompter: Prompter): Prompter {
    const paused = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (this.asking++ === 0) this.pause();
      try {
        return await ask();
      } finally {
        if (--this.asking === 0) this.run();
      }
    };
    return {
      passphrase: (question) => paused(() => prompter.passphrase(question)),
      password: (question) => paused(() => prompter.password(question)),
      keyboardInteractive: (question) => paused(() => prompter.keyboardInteractive(question)),
      hostKey: (question) => paused(() => prompter.hostKey(question)),
    };
  }

  stop(): void {
    this.isStopped = true;
    this.pause();
  }

  private run(): void {
    if (this.isStopped) return;
    this.startedAt = performance.now();
    this.timer = setTimeout(this.expire, this.milliseconds);
  }

  private pause(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.milliseconds = Math.max(0, this.milliseconds - (performance.now() - this.startedAt));
  }
}
