/** What is typed at the terminal while `vrun` waits goes into the stdin of its command (R36). */
import { readFileSync } from 'node:fs';
import type { Client } from '../server/client/client.ts';
import type { Io } from './io.ts';

/** Most bytes in one request. */
const maxBytes = 32 * 1024;
/** How long leaving may take. Milliseconds. */
const farewellMs = 500;

export interface TypingOptions {
  id: string;
  client: Pick<Client, 'type'>;
  stdin: Io['stdin'];
  /** Aborts when nothing more is to be typed. */
  over: AbortSignal;
}

export class Typing {
  private waiting: Buffer[] = [];
  private ended = false;
  private closed = false;
  private sending = false;
  private attempt: number | null = null;
  private offset = 0;
  private readonly onData = (data: Buffer) => this.add(data);
  private readonly onEnd = () => this.end();

  constructor(private readonly options: TypingOptions) {
    this.resume();
    options.over.addEventListener('abort', () => this.suspend());
  }

  /** Lets somebody else read the terminal. */
  suspend(): void {
    const { stdin } = this.options;
    stdin.off('data', this.onData).off('end', this.onEnd);
    stdin.pause();
  }

  resume(): void {
    const { stdin, over } = this.options;
    if (this.closed || this.ended || over.aborted) return;
    stdin.on('data', this.onData).on('end', this.onEnd);
    stdin.resume();
  }

  /** Nothing more will be typed: a command that reads on must not wait for ever. */
  async leave(): Promise<void> {
    this.suspend();
    if (this.attempt === null || this.closed || this.ended) return;
    const signal = AbortSignal.timeout(farewellMs);
    const farewell = { attempt: this.attempt, offset: this.offset, data: '', end: true };
    await this.options.client.type(this.options.id, farewell, signal).catch(() => {});
  }

  private add(data: Buffer): void {
    this.waiting.push(data);
    void this.send();
  }

  private end(): void {
    this.ended = true;
    this.suspend();
    void this.send();
  }

  /** One request at a time; what is typed meanwhile goes with the next. */
  private async send(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      while (!this.closed && (this.waiting.length > 0 || this.ended)) await this.sendSome();
    } catch {
      // The task is gone, or the wait is over; what becomes of it is told elsewhere.
      this.close();
    }
    this.sending = false;
  }

  private async sendSome(): Promise<void> {
    const { id, client, over } = this.options;
    const all = Buffer.concat(this.waiting);
    const data = all.subarray(0, maxBytes);
    const end = this.ended && data.length === all.length;
    this.waiting = [all];
    const request = { attempt: this.attempt, offset: this.offset, data: data.toString('base64'), end };
    const { attempt, open } = await client.type(id, request, over);
    const arrived = Buffer.concat(this.waiting).subarray(data.length);
    if (this.attempt !== null && attempt !== this.attempt) {
      // Another attempt has begun, with an empty stdin: it gets what the last one has not.
      this.offset = 0;
    } else {
      this.offset += data.length;
      this.waiting = arrived.length > 0 ? [arrived] : [];
      if (!open || end) this.close();
    }
    this.attempt = attempt;
  }

  private close(): void {
    this.closed = true;
    this.waiting = [];
    this.suspend();
  }
}

/**
 * Whether this process may read its terminal. One in the background would be stopped by SIGTTIN. Where
 * that cannot be told, as on macOS, it is taken to be in the foreground.
 */
export function mayRead(stdin: Io['stdin']): boolean {
  if (!stdin.isTTY) return false;
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // See proc_pid_stat(5): field 5 is the process group, 8 the foreground one of the terminal.
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}
