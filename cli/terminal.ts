/** Sitting at a terminal that is the task's: all that is typed goes there, and all that it shows comes here (R36). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../server/client/client.ts';
import {
  connectTerminal,
  ownTerminal,
  type TerminalConnection,
  type TerminalEnding,
  terminalBeside,
} from '../server/client/terminal.ts';
import type { Terminal, TerminalSize } from '../server/model/task.ts';
import { Escapes, escapeHelp } from './escapes.ts';
import type { Io } from './io.ts';
import { sizeOf } from './ownTerminal.ts';
import type { Screen } from './render/screen.ts';

/** How long to wait for a server that is gone before looking again. */
const pauseMs = 250;

/** How sitting at a terminal ended. */
export type Departure =
  | Exclude<TerminalEnding, { kind: 'disconnected' }>
  /** The person has left; the terminal goes on without them. */
  | { kind: 'left' };

/** Where somebody sits. */
export interface Place {
  client: Pick<Client, 'locate'>;
  io: Io;
  screen: Screen;
  /** The path to connect to, for a terminal of this size. */
  path: (size: TerminalSize) => string;
  /** What `~.` is answered with. */
  farewell: string;
  /** Whether the terminal may still be there when the server is found again. */
  outlives: boolean;
}

/** A place at the terminal of a task, which is waited for until it is there. */
export function atTask(
  id: string,
  program: string,
  place: Pick<Place, 'client' | 'io' | 'screen'>,
): AtTerminal {
  const farewell = `${program}: ${id} goes on; \`vctl task attach ${id}\` comes back to it`;
  return new AtTerminal({ ...place, path: (size) => ownTerminal(id, size), farewell, outlives: true });
}

/** A place at a new terminal beside a task. */
export function besideTask(
  id: string,
  { term }: Terminal,
  command: readonly string[] | null,
  place: Pick<Place, 'client' | 'io' | 'screen'>,
): AtTerminal {
  const path = (size: TerminalSize) => terminalBeside(id, { term, ...size }, command);
  return new AtTerminal({ ...place, path, farewell: `vctl: left ${id}`, outlives: false });
}

export class AtTerminal {
  /** Resolves when the terminal is over, or has been left. Never rejects. */
  readonly departed: Promise<Departure>;
  private depart: (departure: Departure) => void = () => {};
  private connection: TerminalConnection | null = null;
  private escapes = new Escapes();
  private isOpen = false;
  private isSuspended = false;
  private isRaw = false;
  private isOver = false;
  /** Whether the server went away while the terminal was open, which it held. */
  private isOrphan = false;
  private readonly onData = (data: Buffer) => this.take(data);
  private readonly onResize = () => this.connection?.resize(sizeOf(this.place.io.stdout));

  constructor(private readonly place: Place) {
    this.departed = new Promise((resolve) => {
      this.depart = resolve;
    });
    place.io.stdout.on('resize', this.onResize);
    this.connect();
  }

  /** Lets somebody else have the person's terminal. */
  suspend(): void {
    this.isSuspended = true;
    this.look();
  }

  resume(): void {
    this.isSuspended = false;
    this.look();
  }

  /** Goes away. The person's terminal is as it was before. */
  leave(): void {
    this.end({ kind: 'left' });
  }

  private connect(): void {
    const { client, io, screen, path } = this.place;
    const asked = sizeOf(io.stdout);
    this.connection = connectTerminal(() => client.locate(), path(asked), {
      opened: () => {
        this.isOpen = true;
        this.isOrphan = false;
        this.escapes = new Escapes();
        this.look();
        this.onResize();
      },
      shown: (bytes) => screen.output('stdout', bytes),
      ended: (ending) => void this.ended(ending),
    });
  }

  private async ended(ending: TerminalEnding): Promise<void> {
    this.connection = null;
    if (ending.kind === 'ended' && this.isOrphan) {
      return this.end({ kind: 'lost', reason: 'the server that held it has gone' });
    }
    if (ending.kind !== 'disconnected') return this.end(ending);
    if (!this.place.outlives) return this.end({ kind: 'lost', reason: ending.reason });
    this.isOrphan ||= this.isOpen;
    this.isOpen = false;
    this.look();
    await sleep(pauseMs);
    if (!this.isOver) this.connect();
  }

  private end(departure: Departure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.place.io.stdout.off('resize', this.onResize);
    const closed = this.connection?.close() ?? Promise.resolve();
    this.look();
    void closed.then(() => this.depart(departure));
  }

  /** Has the person's terminal raw and reads it, where that is right now. */
  private look(): void {
    const { io, screen } = this.place;
    const raw = this.isOpen && !this.isSuspended && !this.isOver;
    if (raw === this.isRaw) return;
    this.isRaw = raw;
    screen.lend(raw);
    io.setRaw(raw);
    if (raw) {
      io.stdin.on('data', this.onData);
      io.stdin.resume();
    } else {
      io.stdin.off('data', this.onData);
      io.stdin.pause();
    }
  }

  private take(data: Buffer): void {
    const { io, screen, farewell } = this.place;
    let room: Promise<void> | undefined;
    for (const typed of this.escapes.read(data)) {
      if (typed === 'detach') {
        this.leave();
        screen.note(farewell);
      } else if (typed === 'help') io.stderr.write(`\r\n${escapeHelp.replaceAll('\n', '\r\n')}`);
      else room = this.connection?.type(typed);
    }
    io.stdin.pause();
    void Promise.resolve(room).then(() => this.isRaw && io.stdin.resume());
  }
}
