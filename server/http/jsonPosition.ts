/**
 * Where a text stops being JSON. `JSON.parse` decides whether it is; only when it refuses is the
 * place looked for here, since V8's messages name it for some mistakes and not for others.
 */

type Expectation = 'value' | 'value or ]' | 'key or }' | 'key' | ':' | 'comma or end';

const numberOrWord = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Offset of the first character that cannot stand where it does, or null if `text` is JSON (RFC 8259). */
export function jsonErrorOffset(text: string): number | null {
  const open: string[] = [];
  let expected = 'value' as Expectation;
  let at = 0;
  for (;;) {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
    const outermost = open.length === 0;
    if (at === text.length) return outermost && expected === 'comma or end' ? null : at;
    const char = text.charAt(at);
    const wantsKey = expected === 'key' || expected === 'key or }';
    if (expected === 'comma or end') {
      if (outermost) return at;
      const inObject = open.at(-1) === '{';
      if (char === ',') expected = inObject ? 'key' : 'value';
      else if (char === (inObject ? '}' : ']')) open.pop();
      else return at;
      at += 1;
    } else if (expected === ':') {
      if (char !== ':') return at;
      expected = 'value';
      at += 1;
    } else if ((expected === 'key or }' && char === '}') || (expected === 'value or ]' && char === ']')) {
      open.pop();
      expected = 'comma or end';
      at += 1;
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (end.broken) return end.at;
      expected = wantsKey ? ':' : 'comma or end';
      at = end.at;
    } else if (wantsKey) {
      return at;
    } else if (char === '{' || char === '[') {
      open.push(char);
      expected = char === '{' ? 'key or }' : 'value or ]';
      at += 1;
    } else {
      numberOrWord.lastIndex = at;
      if (!numberOrWord.test(text)) return at;
      at = numberOrWord.lastIndex;
      expected = 'comma or end';
    }
  }
}

/** The offset behind the string that starts at `start`, or of the character that breaks it. */
function stringEnd(text: string, start: number): { at: number; broken: boolean } {
  let at = start + 1;
  for (;;) {
    const char = text.charAt(at);
    if (char === '"') return { at: at + 1, broken: false };
    if (char === '' || char < ' ') return { at, broken: true };
    if (char === '\\') {
      escape.lastIndex = at;
      if (!escape.test(text)) return { at, broken: true };
      at = escape.lastIndex;
    } else {
      at += 1;
    }
  }
}

/** `line 3, column 7` of an offset, both from 1. */
export function placeInText(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return `line ${before.split('\n').length}, column ${offset - lineStart + 1}`;
}
