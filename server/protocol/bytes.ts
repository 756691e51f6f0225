/**
 * Command lines, paths and variables are bytes on Unix and strings in JavaScript. A byte that is
 * not part of valid UTF-8 becomes a lone surrogate U+DC80…U+DCFF and back, as Python's
 * "surrogateescape" does (PEP 383). JSON escapes lone surrogates, so such strings cross it unharmed.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The string that stands for these bytes. `encodeBytes` is its exact inverse. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeLeniently(bytes);
  }
}

function decodeLeniently(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] as number));
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence that starts here, or 0. Table 3-7 of the Unicode Standard. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] as number;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) {
    if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** The bytes that this string stands for. */
export function encodeBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const part of text.split(/([\udc80-\udcff])/u)) {
    const unit = part.length === 1 ? part.charCodeAt(0) : 0;
    const isEscape = unit >= 0xdc80 && unit <= 0xdcff;
    parts.push(isEscape ? Buffer.from([unit - 0xdc00]) : Buffer.from(part, 'utf8'));
  }
  return Buffer.concat(parts);
}

/**
 * A path as Node's file system takes it: bytes; on Windows, where names are none, the text, which may then be of any
 * length.
 */
export function systemPath(path: string): string | Buffer {
  return process.platform === 'win32' ? path : encodeBytes(path);
}

/** The string with every escaped byte shown as U+FFFD, for places that show text to a person. */
export function displayText(text: string): string {
  return text.toWellFormed();
}
