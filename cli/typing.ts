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
  io: Pick<Io, 'stdin' | 'signals'>;
  /** Whether the terminal may be read now. */
  mayRead: () => boolean;
  /** Aborts when nothing more is to be typed. */
  over: AbortSignal;
  /** Milliseconds between two looks whether what may not be read now may be read again. */
  lookInterval?: number;
}

export class Typing {
  private waiting: Buffer[] = [];
  /** Nothing more will be typed. */
  private ended = false;
  /** Nothing more will be read by the task. */
  private closed = false;
  private suspended = false;
  private reading = false;
  private sending = false;
  private attempt: number | null = null;
  private offset = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly onData = (data: Buffer) => this.add(data);
  private readonly onEnd = () => this.end();
  private readonly onContinued = () => this.look();

  constructor(private readonly options: TypingOptions) {
    const { io, over } = options;
    // Sent by the shell's `fg` and `bg`, among others.
    io.signals.on('SIGCONT', this.onContinued);
    over.addEventListener('abort', () => {
      io.signals.off('SIGCONT', this.onContinued);
      this.look();
    });
    this.look();
  }

  /** Lets somebody else read the terminal. */
  suspend(): void {
    this.suspended = true;
    this.look();
  }

  resume(): void {
    this.suspended = false;
    this.look();
  }

  /** Nothing more will be typed: a command that reads on must not wait for ever. */
  async leave(): Promise<void> {
    this.suspend();
    const { id, client, over } = this.options;
    if (this.closed || over.aborted) return;
    const data = Buffer.concat(this.waiting).toString('base64', 0, maxBytes);
    const farewell = { attempt: this.attempt, offset: this.offset, data, end: true };
    await client.type(id, farewell, AbortSignal.timeout(farewellMs)).catch(() => {});
  }

  /** Reads the terminal if that is wanted and allowed. */
  private look(): void {
    clearTimeout(this.timer);
    const { over, mayRead: allows, lookInterval = 1_000 } = this.options;
    const wanted = !this.suspended && !this.ended && !this.closed && !over.aborted;
    const allowed = wanted && allows();
    // Nobody tells a job in the background that it has been brought to the foreground.
    if (wanted && !allowed) this.timer = setTimeout(() => this.look(), lookInterval);
    if (allowed !== this.reading) this.read(allowed);
  }

  private read(reading: boolean): void {
    this.reading = reading;
    const { stdin } = this.options.io;
    if (reading) {
      stdin.on('data', this.onData).on('end', this.onEnd).on('error', this.onEnd);
      stdin.resume();
    } else {
      stdin.off('data', this.onData).off('end', this.onEnd).off('error', this.onEnd);
      stdin.pause();
    }
  }

  private add(data: Buffer): void {
    this.waiting.push(data);
    void this.send();
  }

  private end(): void {
    this.ended = true;
    this.look();
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
    // Before the attempt is known nothing is sent that might be typed into two.
    const data = this.attempt === null ? Buffer.alloc(0) : all.subarray(0, maxBytes);
    const end = this.ended && data.length === all.length;
    this.waiting = [all];
    const request = { attempt: this.attempt, offset: this.offset, data: data.toString('base64'), end };
    const { attempt, open } = await client.type(id, request, over);
    if (attempt === this.attempt) {
      this.offset += data.length;
      const left = Buffer.concat(this.waiting).subarray(data.length);
      this.waiting = left.length > 0 ? [left] : [];
    } else {
      // Another attempt has begun, with an empty stdin: it gets what the last one has not.
      this.attempt = attempt;
      this.offset = 0;
    }
    if (!open || end) this.close();
  }

  private close(): void {
    this.closed = true;
    this.waiting = [];
    this.look();
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
