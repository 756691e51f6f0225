/** Says how long the event loop was blocked. Runs inside the extension host, as all of this process's code does. */

/** Between two looks at the loop. Milliseconds. */
const resolution = 5;

export class BlockMeter {
  private longest = 0;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    let before = performance.now();
    let usedBefore = process.cpuUsage();
    this.timer = setInterval(() => {
      const now = performance.now();
      const used = process.cpuUsage(usedBefore);
      // What others do on a busy machine does not count: it was not blocked for longer than it had a processor.
      const blocked = Math.min(now - before - resolution, (used.user + used.system) / 1e3);
      this.longest = Math.max(this.longest, blocked);
      before = now;
      usedBefore = process.cpuUsage();
    }, resolution);
  }

  /** Longest that the loop was blocked since this was asked last. Milliseconds. */
  take(): number {
    const { longest } = this;
    this.longest = 0;
    return longest;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
