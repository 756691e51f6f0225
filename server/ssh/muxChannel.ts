/** One channel of a ControlMaster: its streams, its windows and its end. */
import { Readable, Writable } from 'node:stream';
import type { ChannelExit, SshChannel } from './channel.ts';
import { type Later, later } from './later.ts';
import { messages } from './muxMessages.ts';
import { boolean, type FieldReader, string, uint32 } from './wire.ts';

/** How much a host may send before we have read it, and in one message. Bytes. */
export const windowSize = 2 * 1024 * 1024;
export const packetSize = 32 * 1024;

const stderrType = 1;

type Send = (type: number, ...fields: Buffer[]) => void;

export class MuxChannel implements SshChannel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  private readonly ending = later<ChannelExit>();
  readonly exit = this.ending.promise;
  private readonly closing = later<void>();
  readonly closed = this.closing.promise;

  /** What waits for room in the host's window. */
  private unsent: { bytes: Buffer; done: () => void } | null = null;
  /** Streams that hold enough. They ask for more when they have been read. */
  private readonly full = new Set<Readable>();
  /** What the host has sent since it was last given room. */
  private received = 0;
  private readonly replies: Later<boolean>[] = [];
  private isClosing = false;
  private isGone = false;

  constructor(
    /** The channel's number on the host. */
    private readonly id: number,
    private window: number,
    private readonly largest: number,
    private readonly send: Send,
    private readonly onClosed: () => void,
  ) {
    // Whoever is interested has a handler of their own.
    this.exit.catch(() => {});
    this.stdin = new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        this.unsent = { bytes, done };
        this.push();
      },
      final: (done) => {
        if (!this.isClosing) this.send(messages.eof, uint32(this.id));
        done();
      },
    });
    this.stdout = this.output();
    this.stderr = this.output();
    // A host that breaks the protocol, such as by data after the end, must not end this process.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.on('error', () => {});
  }

  resize(rows: number, cols: number): void {
    if (this.isClosing) return;
    const size = [uint32(cols), uint32(rows), uint32(0), uint32(0)];
    this.send(messages.request, uint32(this.id), string('window-change'), boolean(false), ...size);
  }

  close(): void {
    if (!this.isClosing) {
      this.isClosing = true;
      this.send(messages.close, uint32(this.id));
    }
    this.stdin.destroy();
    this.stdout.resume();
  }

  /** Whether the host grants a request. */
  request(name: string, ...fields: Buffer[]): Promise<boolean> {
    const reply = later<boolean>();
    this.replies.push(reply);
    this.send(messages.request, uint32(this.id), string(name), boolean(true), ...fields);
    return reply.promise;
  }

  /** Takes a message of the host. */
  take(type: number, fields: FieldReader): void {
    switch (type) {
      case messages.windowAdjust:
        this.window += fields.uint32();
        this.push();
        return;
      case messages.data:
        this.receive(this.stdout, fields.string());
        return;
      case messages.extendedData:
        if (fields.uint32() === stderrType) this.receive(this.stderr, fields.string());
        return;
      case messages.eof:
        this.endOutput();
        return;
      case messages.request:
        this.takeRequest(fields);
        return;
      case messages.success:
      case messages.failure:
        this.replies.shift()?.resolve(type === messages.success);
        return;
      case messages.close:
        if (!this.isClosing) this.send(messages.close, uint32(this.id));
        this.finish();
        return;
      default:
    }
  }

  /** The connection is over. */
  abandon(error: Error): void {
    for (const reply of this.replies) reply.reject(error);
    this.ending.reject(error);
    this.finish();
  }

  private takeRequest(fields: FieldReader): void {
    const name = fields.text();
    const wantsReply = fields.boolean();
    if (name === 'exit-status') this.ending.resolve({ code: fields.uint32(), signal: null });
    else if (name === 'exit-signal') this.ending.resolve({ code: null, signal: `SIG${fields.text()}` });
    // sshd asks for signs of life in this way.
    else if (wantsReply) this.send(messages.failure, uint32(this.id));
  }

  private push(): void {
    if (this.isClosing) return;
    while (this.unsent !== null && this.window > 0) {
      const { bytes, done } = this.unsent;
      const length = Math.min(bytes.length, this.window, this.largest);
      this.send(messages.data, uint32(this.id), string(bytes.subarray(0, length)));
      this.window -= length;
      this.unsent = length < bytes.length ? { bytes: bytes.subarray(length), done } : null;
      // It may bring the next piece before it returns.
      if (this.unsent === null) done();
    }
  }

  private output(): Readable {
    const stream: Readable = new Readable({
      highWaterMark: windowSize,
      read: () => {
        this.full.delete(stream);
        this.giveRoom();
      },
    });
    return stream;
  }

  private receive(stream: Readable, bytes: Buffer): void {
    this.received += bytes.length;
    if (!stream.push(bytes)) this.full.add(stream);
    this.giveRoom();
  }

  private giveRoom(): void {
    if (this.isClosing || this.full.size > 0 || this.received < windowSize / 2) return;
    this.send(messages.windowAdjust, uint32(this.id), uint32(this.received));
    this.received = 0;
  }

  private endOutput(): void {
    if (!this.stdout.readableEnded) this.stdout.push(null);
    if (!this.stderr.readableEnded) this.stderr.push(null);
  }

  private finish(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.isClosing = true;
    for (const reply of this.replies.splice(0)) reply.resolve(false);
    this.endOutput();
    this.ending.resolve({ code: null, signal: null });
    this.stdin.destroy();
    this.closing.resolve();
    this.onClosed();
  }
}
