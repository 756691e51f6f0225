/** The budget of a connection: sshd lets only so many channels be open at once (MaxSessions, 10 by default). */
import { VbatchError } from '../protocol/errors.ts';
import type { Timers } from '../timers.ts';
import { type ChannelRequest, type Link, NoRoom, type SshChannel } from './channel.ts';

/** Whoever was refused asks again after so many milliseconds, and then each time after the longest. */
const retryDelays = [20, 50, 100, 200, 400, 800];
const longestDelay = 1_000;
/** For so long a host may still count a channel that has closed, so that a refusal says nothing. Milliseconds. */
const lingering = 1_000;
/** After so many channels that were opened within a lowered budget, one more is tried. */
const probation = 50;

/** Opens channels in the order they are asked for, each when the host has room for it. */
export class Sessions {
  private open = 0;
  /** Asked for, and not yet granted. */
  private pending = 0;
  /** How many the host is believed to allow at once. */
  private budget: number;
  private sinceLowered = 0;
  private lastClosing = Number.NEGATIVE_INFINITY;
  /** Those who wait for their turn, and those who were refused and wait for a channel to close. */
  private readonly queue: (() => void)[] = [];
  private readonly refused = new Set<() => void>();
  private cancelProbe: (() => void) | null = null;
  private isOver = false;

  constructor(
    private readonly link: Link,
    private readonly most: number,
    private readonly timers: Timers,
    private readonly name: string,
  ) {
    this.budget = most;
    void link.ended.then(() => {
      this.isOver = true;
      for (const go of this.refused) go();
      this.next();
    });
  }

  /**
   * Opens a channel, after waiting for a free place. Throws what `Link.open` throws, with `refused` instead
   * of NoRoom where the host opens none although none is open, and the reason of `signal`, which calls the
   * waiting off.
   */
  async request(request: ChannelRequest, signal?: AbortSignal): Promise<SshChannel> {
    await this.turn(signal);
    try {
      const channel = await this.persist(request, signal);
      this.granted();
      void channel.closed.then(() => this.closed());
      return channel;
    } finally {
      this.pending -= 1;
      this.next();
    }
  }

  private async turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.isFull || this.queue.length > 0) {
      const turn = new Promise<void>((go, reject) => {
        this.queue.push(go);
        signal?.addEventListener('abort', () => {
          const place = this.queue.indexOf(go);
          if (place >= 0) this.queue.splice(place, 1);
          reject(signal.reason as Error);
        });
      });
      this.probeLater();
      await turn;
    } else {
      this.pending += 1;
    }
  }

  private get isFull(): boolean {
    return !this.isOver && this.open + this.pending >= this.budget;
  }

  private async persist(request: ChannelRequest, signal: AbortSignal | undefined): Promise<SshChannel> {
    let alone = 0;
    for (let refusals = 0; ; refusals++) {
      signal?.throwIfAborted();
      try {
        return await this.link.open(request);
      } catch (error) {
        if (!(error instanceof NoRoom)) throw error;
        this.lower();
        // While others of ours are open, it is they who take the room, and one of them will make some.
        alone = this.open > 0 ? 0 : alone + 1;
        if (alone > retryDelays.length) {
          throw new VbatchError(
            'refused',
            `${this.name} opens no session at all (${error.reason}); see MaxSessions in its sshd_config.`,
          );
        }
        await this.closing(retryDelays[refusals] ?? longestDelay);
      }
    }
  }

  private lower(): void {
    this.sinceLowered = 0;
    if (this.timers.now() - this.lastClosing > lingering) this.budget = Math.max(1, this.open);
  }

  /** Resolves when one of our channels has closed, or after the delay. */
  private closing(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.refused.delete(go);
        resolve();
      };
      const cancel = this.timers.after(delay, go);
      this.refused.add(go);
    });
  }

  private granted(): void {
    this.open += 1;
    if (this.open > this.budget) this.budget = this.open;
    if (this.budget >= this.most || ++this.sinceLowered < probation) return;
    this.sinceLowered = 0;
    this.budget += 1;
  }

  private closed(): void {
    this.open -= 1;
    this.lastClosing = this.timers.now();
    // One place, and so for one of them; the refused were there first.
    const [go] = this.refused;
    if (go) go();
    else this.next();
  }

  private next(): void {
    while (!this.isFull && this.queue.length > 0) this.callFirst();
    this.probeLater();
  }

  private callFirst(): void {
    const go = this.queue.shift();
    if (!go) return;
    this.pending += 1;
    go();
  }

  /** What was learnt may be wrong or outdated: one who has waited for long asks all the same. */
  private probeLater(): void {
    if (this.cancelProbe !== null || this.queue.length === 0 || this.budget >= this.most) return;
    this.cancelProbe = this.timers.after(longestDelay, () => {
      this.cancelProbe = null;
      if (this.refused.size === 0) this.callFirst();
      this.probeLater();
    });
  }
}
