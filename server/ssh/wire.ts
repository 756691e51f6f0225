/** The data types of the SSH protocols (RFC 4251, section 5): big-endian numbers, and strings with a length. */

/** Reads one field after another. A field that is not all there throws. */
export class FieldReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Bytes that have not been read. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    return this.take(1).readUInt8(0);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** Exact up to 2^53. */
  uint64(): number {
    return Number(this.take(8).readBigUInt64BE(0));
  }

  boolean(): boolean {
    return this.byte() !== 0;
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }

  private take(length: number): Buffer {
    if (length > this.left) throw new Error('a message ends in the middle of a field');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

export function byte(value: number): Buffer {
  return Buffer.from([value]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value), 0);
  return bytes;
}

export function boolean(value: boolean): Buffer {
  return byte(value ? 1 : 0);
}

/** A string with its length before it. */
export function string(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/**
 * Puts messages together that arrive in pieces, each led by its length. Messages longer than `longest`
 * bytes throw: what sends them does not speak the protocol.
 */
export class MessageSplitter {
  private pieces: Buffer[] = [];
  private held = 0;
  /** Length of the message that is being received, or null while its length is. */
  private expected: number | null = null;

  constructor(private readonly longest: number) {}

  /** The messages that these bytes complete, without their lengths. */
  add(bytes: Buffer): Buffer[] {
    this.pieces.push(bytes);
    this.held += bytes.length;
    const messages: Buffer[] = [];
    while (this.held >= (this.expected ?? 4)) {
      const whole = this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces);
      const length = this.expected ?? 4;
      const part = whole.subarray(0, length);
      const rest = whole.subarray(length);
      this.pieces = rest.length > 0 ? [rest] : [];
      this.held = rest.length;
      if (this.expected === null) {
        this.expected = part.readUInt32BE(0);
        if (this.expected > this.longest)
          throw new Error(`a message of ${this.expected} bytes was announced`);
      } else {
        messages.push(part);
        this.expected = null;
      }
    }
    return messages;
  }
}
