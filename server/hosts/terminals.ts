/** Terminals of a host, from our side of them: those that attempts run in, and those of shells beside attempts. */
import type { Terminal } from '../model/task.ts';
import { encodeBytes } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';
import { type Launch, terminalScript } from './agent/orders.ts';
import { openShellBeside } from './beside.ts';
import type { AttemptKey, BesideOrder, Seat, TerminalEnd, Viewer } from './host.ts';
import type { Site, TerminalChannel } from './machine.ts';

/** How much of what was shown last is kept for those who come later. Bytes. */
const keptSize = 64 * 1024;
/** How long a terminal whose command has ended may take to show the last of its output. Milliseconds. */
const patience = 5_000;

/** One terminal, while it is open and until what ran in it is known to have ended. */
interface Session {
  /** Null until it has been opened. */
  channel: TerminalChannel | null;
  /** What it has shown last. */
  shown: Buffer;
  /** Those who look on, each with what it has not yet taken. */
  readonly viewers: Map<Viewer, Promise<void>>;
  /** There once it is over. */
  end: TerminalEnd | null;
  /** Resolves when it is over and all that it has shown is recorded. */
  readonly over: Sign;
  /** Given when it is to be closed; nobody is waited for after that. */
  readonly hungUp: Sign;
}

/** Something that happens once. */
interface Sign {
  isGiven: boolean;
  readonly given: Promise<void>;
  readonly give: () => void;
}

export class Terminals {
  private readonly attempts = new Map<AttemptKey, Session>();
  private readonly beside = new Map<AttemptKey, Set<Session>>();

  constructor(
    /** Keeps what an attempt shows. */
    private readonly record: (key: AttemptKey, bytes: Buffer) => Promise<void>,
    private readonly log: (message: string) => void,
  ) {}

  /** Whether we hold the terminal of this attempt, or have held it until its command ended. */
  has(key: AttemptKey): boolean {
    return this.attempts.has(key);
  }

  /** Attempts whose terminals are over, and of whose ends nothing has been heard yet. */
  ended(): AttemptKey[] {
    return [...this.attempts].filter(([, session]) => session.end !== null).map(([key]) => key);
  }

  /** Starts an attempt in a terminal. Rejects where there is none to be had; a second one is not opened. */
  async start(site: Site, launch: Launch, terminal: Terminal): Promise<void> {
    const { key } = launch;
    if (this.attempts.has(key)) return;
    const session = newSession();
    this.attempts.set(key, session);
    try {
      const { folder: root, scripts, attempt } = site.paths;
      const script = `${attempt(key)}.start`;
      const text = terminalScript(launch, { root, scripts, proc: site.proc });
      await site.files.writeWhole(script, encodeBytes(text), 0o600);
      session.channel = await site.openTerminal(script, terminal);
    } catch (error) {
      this.attempts.delete(key);
      session.over.give();
      throw error;
    }
    if (session.hungUp.isGiven) session.channel.close();
    void this.show(session, session.channel, (bytes) => this.keep(key, bytes)).then((end) => {
      // What is lost is known to nobody here any more: the command is told so, or found to have ended.
      if (end.lost !== null && this.attempts.get(key) === session) this.attempts.delete(key);
    });
  }

  /** See Host.attend. */
  attend(key: AttemptKey, viewer: Viewer): Seat | null {
    const session = this.attempts.get(key);
    if (!session) return null;
    session.viewers.set(viewer, session.shown.length > 0 ? viewer.show(session.shown) : Promise.resolve());
    if (session.end) void tellEnd(session, viewer, session.end);
    return seatAt(session, () => session.viewers.delete(viewer));
  }

  /** See Host.openBeside. */
  async openBeside(site: Site | null, order: BesideOrder, viewer: Viewer): Promise<Seat> {
    if (!site) throw new VbatchError('unreachable', 'it cannot be reached now');
    const { key } = order;
    const session = newSession();
    session.viewers.set(viewer, Promise.resolve());
    const sessions = this.beside.get(key) ?? new Set();
    this.beside.set(key, sessions.add(session));
    const forget = () => {
      session.over.give();
      sessions.delete(session);
      if (sessions.size === 0 && this.beside.get(key) === sessions) this.beside.delete(key);
    };
    try {
      session.channel = await openShellBeside(site, order);
    } catch (error) {
      forget();
      throw error;
    }
    if (session.hungUp.isGiven) session.channel.close();
    void this.show(session, session.channel, async () => {}).then(forget);
    return seatAt(session, () => hangUp(session));
  }

  /** Hangs up the shells beside an attempt. */
  clear(key: AttemptKey): void {
    for (const session of this.beside.get(key) ?? []) hangUp(session);
  }

  /** Resolves when all that the attempt has shown is recorded. To be called when its command has ended. */
  async drained(key: AttemptKey): Promise<void> {
    const session = this.attempts.get(key);
    if (!session || session.end) return;
    const timer = setTimeout(() => hangUp(session), patience);
    await session.over.given;
    clearTimeout(timer);
  }

  /** The attempt has ended. */
  release(key: AttemptKey): void {
    const session = this.attempts.get(key);
    if (session) hangUp(session);
    this.attempts.delete(key);
    this.clear(key);
  }

  /** Hangs all up. Resolves when all that was shown is recorded. */
  async close(): Promise<void> {
    const sessions = [...this.attempts.values(), ...[...this.beside.values()].flatMap((set) => [...set])];
    for (const session of sessions) hangUp(session);
    await Promise.all(sessions.map(({ over }) => over.given));
  }

  private async keep(key: AttemptKey, bytes: Buffer): Promise<void> {
    try {
      await this.record(key, bytes);
    } catch (error) {
      const start = bytes.subarray(0, 200).toString();
      this.log(
        `The terminal of attempt ${key} shows ${JSON.stringify(start)}, which is not in its log: ${(error as Error).message}`,
      );
    }
  }

  /** Passes on what a terminal shows until it is over, no faster than all who look on take it. */
  private async show(
    session: Session,
    channel: TerminalChannel,
    keep: (bytes: Buffer) => Promise<void>,
  ): Promise<TerminalEnd> {
    try {
      for await (const bytes of channel.output as AsyncIterable<Buffer>) {
        session.shown = lastOf(session.shown, bytes);
        for (const [viewer, before] of session.viewers) {
          session.viewers.set(
            viewer,
            before.then(() => viewer.show(bytes)),
          );
        }
        await Promise.all([keep(bytes), Promise.race([session.hungUp.given, allTake(session)])]);
      }
    } catch {
      // Its end says more.
    }
    const end = await channel.closed;
    session.end = end;
    for (const viewer of session.viewers.keys()) void tellEnd(session, viewer, end);
    session.over.give();
    return end;
  }
}

function newSession(): Session {
  return {
    channel: null,
    shown: Buffer.alloc(0),
    viewers: new Map(),
    end: null,
    over: sign(),
    hungUp: sign(),
  };
}

function sign(): Sign {
  let resolve = () => {};
  const given = new Promise<void>((give) => {
    resolve = give;
  });
  const made: Sign = {
    isGiven: false,
    given,
    give() {
      made.isGiven = true;
      resolve();
    },
  };
  return made;
}

function hangUp(session: Session): void {
  session.hungUp.give();
  session.channel?.close();
}

async function allTake({ viewers }: Session): Promise<void> {
  await Promise.all(viewers.values());
}

async function tellEnd(session: Session, viewer: Viewer, end: TerminalEnd): Promise<void> {
  await Promise.race([session.hungUp.given, session.viewers.get(viewer)]);
  viewer.over(end);
}

function seatAt(session: Session, leave: () => void): Seat {
  return {
    input: async (bytes) => session.channel?.input(bytes),
    resize: (size) => session.channel?.resize(size),
    leave,
  };
}

/** The end of what was shown, from the beginning of a line on where something is left out. */
function lastOf(shown: Buffer, bytes: Buffer): Buffer {
  const all = Buffer.concat([shown, bytes]);
  if (all.length <= keptSize) return all;
  const last = all.subarray(-keptSize);
  return Buffer.from(last.subarray(last.indexOf(0x0a) + 1));
}
