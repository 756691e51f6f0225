/** What is typed at a terminal that is another machine's: at the start of a line `~` is for us, as it is for ssh. */

/** A piece of what was typed: bytes to pass on, or something that is wanted of us. */
export type Typed = Buffer | 'detach' | 'help';

/** What `~?` shows. */
export const escapeHelp = `~.  detach: the command goes on
~?  this help
~~  a single ~
At the beginning of a line only.
`;

const tilde = 0x7e;
const wishes: Readonly<Record<number, 'detach' | 'help'>> = { 0x2e: 'detach', 0x3f: 'help' };

/** Takes what is typed apart. It comes in any pieces. */
export class Escapes {
  private atLineStart = true;
  private escaping = false;

  /** What has been typed, in order. Nothing follows a `detach`. */
  read(bytes: Buffer): Typed[] {
    const typed: Typed[] = [];
    let passed: number[] = [];
    const pass = () => {
      if (passed.length > 0) typed.push(Buffer.from(passed));
      passed = [];
    };
    for (const byte of bytes) {
      const wish = this.escaping ? wishes[byte] : undefined;
      if (wish !== undefined) {
        this.escaping = false;
        pass();
        typed.push(wish);
        if (wish === 'detach') return typed;
      } else if (!this.escaping && this.atLineStart && byte === tilde) {
        this.escaping = true;
      } else {
        if (this.escaping && byte !== tilde) passed.push(tilde);
        this.escaping = false;
        passed.push(byte);
        this.atLineStart = byte === 0x0d || byte === 0x0a;
      }
    }
    pass();
    return typed;
  }
}
