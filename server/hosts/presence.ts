import { later } from '../ssh/later.ts';

/** Something that is there at times, and whose coming and going others wait for. */
export class Presence<Value> {
  private present: Value | null = null;
  private next = later<void>();

  get value(): Value | null {
    return this.present;
  }

  /** It is there now, or with null it is gone. */
  is(value: Value | null): void {
    const { resolve } = this.next;
    this.present = value;
    this.next = later<void>();
    resolve();
  }

  /** Resolves when it comes or goes the next time. */
  change(): Promise<void> {
    return this.next.promise;
  }
}
