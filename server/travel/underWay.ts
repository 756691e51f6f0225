/** Large contents on their way to a host, for whatever run: two would write into the same file there. */

export class UnderWay {
  private readonly sendings = new Map<string, Promise<unknown>>();
  /** How many are not on their way any more. What the host said of them before is out of date. */
  ended = 0;

  has(hash: string): boolean {
    return this.sendings.has(hash);
  }

  /** Resolves when nobody sends this content. */
  async idle(hash: string): Promise<void> {
    for (let sending = this.sendings.get(hash); sending; sending = this.sendings.get(hash)) {
      await sending.catch(() => {});
    }
  }

  /** Sends a content. Only to be called when nobody else does. */
  async send<T>(hash: string, sending: () => Promise<T>): Promise<T> {
    const result = sending();
    this.sendings.set(hash, result);
    try {
      return await result;
    } finally {
      this.sendings.delete(hash);
      this.ended += 1;
    }
  }
}
