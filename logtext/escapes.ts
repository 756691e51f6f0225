/**
 * Takes output apart into text and what moves or colours it, as far as a log needs that. Sequences may be cut
 * anywhere between two pieces. What only a screen could show, such as cursor addressing, is left out.
 */

export interface EscapeHandler {
  text(text: string): void;
  /** Parameters of a select graphic rendition. */
  style(parameters: string): void;
  /** The next text goes to the beginning of the line, over what is there. */
  carriageReturn(): void;
  back(): void;
  /** Erases from the cursor to the end of the line (0), from its beginning to the cursor (1), or all (2). */
  erase(part: number): void;
}

type State =
  | 'text'
  /** After ESC. */
  | 'escape'
  /** After `ESC [`. */
  | 'control'
  /** In a string that is ended by BEL or `ESC \`: a title, a hyperlink. */
  | 'string'
  | 'stringEscape';

/** More is no sequence that means anything. */
const longest = 4096;
const controls = /[\u0000-\u0008\u000a-\u001f\u007f\u0085\u2028\u2029]/g;

export class EscapeParser {
  private state: State = 'text';
  private held = '';

  constructor(private readonly handler: EscapeHandler) {}

  push(input: string): void {
    let at = 0;
    while (at < input.length) {
      if (this.state === 'text') at = this.readText(input, at);
      else {
        this.take(input.charAt(at));
        at += 1;
      }
    }
  }

  /** At the end of a line a sequence that has not ended was none. */
  reset(): void {
    this.state = 'text';
    this.held = '';
  }

  private readText(input: string, from: number): number {
    controls.lastIndex = from;
    const found = controls.exec(input);
    const end = found === null ? input.length : found.index;
    if (end > from) this.handler.text(input.slice(from, end));
    if (found === null) return end;
    if (found[0] === '\u001b') this.state = 'escape';
    else if (found[0] === '\r') this.handler.carriageReturn();
    else if (found[0] === '\b') this.handler.back();
    // These end a line for an editor, though not for a terminal.
    else if (/[\u0085\u2028\u2029]/.test(found[0])) this.handler.text(' ');
    return end + 1;
  }

  private take(character: string): void {
    switch (this.state) {
      case 'escape':
        if (character === '[') this.enter('control');
        else if (/[\]PX^_]/.test(character)) this.enter('string');
        // Intermediates, such as of a choice of character sets, are followed by the last character.
        else if (!/[ -/]/.test(character)) this.reset();
        return;
      case 'control':
        if (/[@-~]/.test(character)) this.control(character);
        else if (/[ -?]/.test(character) && this.held.length < longest) this.held += character;
        else this.reset();
        return;
      case 'string':
        if (character === '\u0007') this.reset();
        else if (character === '\u001b') this.enter('stringEscape');
        return;
      case 'stringEscape':
        this.enter(character === '\\' ? 'text' : 'string');
        return;
      case 'text':
        return;
    }
  }

  private enter(state: State): void {
    this.state = state;
    this.held = '';
  }

  private control(final: string): void {
    const parameters = this.held;
    this.reset();
    if (final === 'm' && /^[\d;:]*$/.test(parameters)) this.handler.style(parameters);
    else if (final === 'K') this.handler.erase(Number(parameters) || 0);
    else if (final === 'G' && Number(parameters || 1) === 1) this.handler.carriageReturn();
  }
}
