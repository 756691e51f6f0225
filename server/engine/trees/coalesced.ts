/** Work that may be asked for often: who asks while it goes on shares the next round, which begins after he asked. */
export class Coalesced<T> {
  private current: Promise<unknown> = Promise.resolve();
  private next: Promise<T> | null = null;

  constructor(private readonly work: () => Promise<T>) {}

  /** The result of a round that has not begun yet. */
  run(): Promise<T> {
    if (this.next) return this.next;
    const round = this.current.then(() => {
      this.next = null;
      return this.work();
    });
    this.next = round;
    this.current = round.catch(() => {});
    return round;
  }
}

/** Has work be done one after the other. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => {});
    return result;
  }
}
