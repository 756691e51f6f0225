/**
 * The state as it was at one moment, read out little by little while it goes on changing: a record
 * that is about to change is read before it does. Whoever changes records must say so beforehand.
 */
export class Cut<Key> implements Iterable<string> {
  /** How many records there are. */
  readonly count: number;
  private readonly unread: Set<Key>;
  /** Records that have changed since, as they were. */
  private readonly saved = new Map<Key, string>();

  constructor(
    keys: Iterable<Key>,
    private readonly read: (key: Key) => unknown,
  ) {
    this.unread = new Set(keys);
    this.count = this.unread.size;
  }

  /** Must be called before the record changes or is removed. A record made since does not matter. */
  beforeChange(key: Key): void {
    if (this.unread.has(key) && !this.saved.has(key)) this.saved.set(key, this.text(key));
  }

  /** The records as JSON texts, in the order of the keys. Can be read once. */
  *[Symbol.iterator](): Iterator<string> {
    for (const key of this.unread) {
      const text = this.saved.get(key) ?? this.text(key);
      this.unread.delete(key);
      this.saved.delete(key);
      yield text;
    }
  }

  private text(key: Key): string {
    const text = JSON.stringify(this.read(key)) as string | undefined;
    if (text === undefined) throw new Error(`record ${String(key)} was removed without a word before`);
    return text;
  }
}
