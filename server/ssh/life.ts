/** Whether a connection still lives, and who must be told when it does not. */
export class Life {
  /** A clause that says why the connection is over, once it is. */
  over: string | null = null;
  private readonly watchers = new Set<() => void>();
  private tell: (why: string) => void = () => {};
  readonly ended = new Promise<string>((resolve) => {
    this.tell = resolve;
  });

  /** The first reason counts. */
  end(why: string): void {
    if (this.over !== null) return;
    this.over = why;
    this.tell(why);
    for (const watcher of [...this.watchers]) watcher();
    this.watchers.clear();
  }

  /**
   * Calls back at the end, at once where it has come already. Returns the way to call it off: unlike a
   * handler on `ended`, a watcher of something short-lived does not stay for as long as the connection.
   */
  watch(watcher: () => void): () => void {
    if (this.over !== null) watcher();
    else this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}
