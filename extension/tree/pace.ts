/** How soon after one refresh another may follow: at once where little was shown anew, later where it was much. */

export interface PaceOptions {
  /** The least time between two refreshes. */
  readonly pauseMs: number;
  /** What each line costs: over a long time, one is shown anew in this time. */
  readonly lineMs: number;
  /** What may be spent at once, before refreshes get seldom. */
  readonly creditMs: number;
  /** Longest time between two refreshes, whatever they cost. */
  readonly longestMs: number;
}

/** All times are in milliseconds since the epoch. */
export class Pace {
  private earliest = 0;
  private paidAt = 0;

  constructor(private readonly options: PaceOptions) {}

  /** When the next refresh may be. */
  get from(): number {
    return this.earliest;
  }

  /** A refresh has brought so many lines. */
  spend(lines: number, now: number): void {
    const { pauseMs, lineMs, creditMs, longestMs } = this.options;
    this.paidAt = Math.min(Math.max(this.paidAt, now) + lines * lineMs, now + creditMs + longestMs);
    this.earliest = Math.max(now + pauseMs, this.paidAt - creditMs);
  }

  /** The next may be at once, whatever it costs. */
  hurry(): void {
    this.earliest = 0;
  }
}
