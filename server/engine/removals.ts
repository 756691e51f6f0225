/** Which ids were removed lately, for clients that resume the event stream. */
export class Removals {
  private entries: { sequence: number; ids: readonly string[] }[] = [];

  /** @param known sequence of the last removal before this process: what it removed is not known here. */
  constructor(private known: number) {}

  /** How many removals to remember. Older clients start afresh. */
  private static readonly remembered = 100;

  add(sequence: number, ids: readonly string[]): void {
    this.entries.push({ sequence, ids });
    while (this.entries.length > Removals.remembered)
      this.known = this.entries.shift()?.sequence ?? this.known;
  }

  /** All ids removed after `sequence`, or null where that can no longer be told. */
  since(sequence: number): string[] | null {
    if (sequence < this.known) return null;
    return this.entries.filter((entry) => entry.sequence > sequence).flatMap((entry) => entry.ids);
  }
}
