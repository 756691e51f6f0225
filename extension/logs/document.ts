/** A log as a document of VS Code: what it holds, what is to be said about it, and when it is shown anew. */
import { realpath, stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { LogLine, Stream } from '../../logtext/lines.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { TaskDetail, TaskView } from '../../server/protocol/tasks.ts';
import type { Connection } from '../connection/connection.ts';
import { openFolders } from '../folders.ts';
import type { LogAddress } from './address.ts';
import { PathFinder } from './paths.ts';
import { LogSession, type LogSource } from './session.ts';

/** Least time between two changes of a document, in milliseconds: for small ones, and for such as are replaced as a whole. */
const pause = { small: 80, large: 250 };
/** A change that VS Code has not made after this time will not come. */
const patience = 3_000;

export interface DocumentListener {
  /** The document has to be asked for anew. */
  stale(uri: vscode.Uri): void;
  /** The document shows `shown` now, or there is something else to say about it. */
  rendered(document: LogDocument): void;
}

/** A line of a log: its stream, and where in both streams together it begins. */
export interface LinePlace {
  readonly position: number;
  readonly stream: Stream;
}

export class LogDocument implements vscode.Disposable {
  readonly session: LogSession;
  task: TaskDetail | null = null;
  /** Lines of the document as VS Code has it. */
  shown: readonly LogLine[] = [];
  private text = '';
  private next: readonly LogLine[] = [];
  private timer: NodeJS.Timeout | null = null;
  private isDue = false;
  private isUnderWay = false;
  private begun: Promise<void> | null = null;
  private finder: Promise<PathFinder> | null = null;
  private isDisposed = false;

  constructor(
    readonly uri: vscode.Uri,
    readonly address: LogAddress,
    private readonly connection: Connection,
    private readonly listener: DocumentListener,
    /** The first line that can be seen of it. Where it is given to begin with, it is to be shown, and not the end. */
    public top: LinePlace | null,
  ) {
    const rest = () => new Promise<void>((resolve) => setTimeout(resolve, pause.large));
    this.session = new LogSession(sourceOf(connection, address), () => this.schedule(), rest);
    this.session.following = top === null;
  }

  /** The line that somebody reads from on; null where the end is looked at. */
  get place(): LinePlace | null {
    return this.session.following ? null : this.top;
  }

  /** Resolves when there is something to show. */
  begin(): Promise<void> {
    const { place, session } = this;
    const show = () => (place === null ? session.showEnd() : session.showAround(place.position));
    this.begun ??= Promise.all([this.refresh(), show()]).then(() => {});
    return this.begun;
  }

  /** Asks for the task anew. */
  async refresh(): Promise<void> {
    try {
      const client = await this.connection.running();
      this.task = await client.task(this.address.id);
    } catch (error) {
      // The session says why nothing can be read.
      if (!(error instanceof VbatchError)) throw error;
    }
    this.listener.rendered(this);
  }

  /** What the document is to hold. */
  content(): string {
    this.text = this.session.lines.text();
    this.next = [...this.session.lines.lines];
    return this.text;
  }

  /** VS Code has what `content` gave. */
  taken(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.isUnderWay = false;
    this.shown = this.next;
    this.listener.rendered(this);
    if (this.isDue) this.schedule();
  }

  /** Lines of the document as it is to be, once VS Code has it; those shown where it has. */
  get latest(): readonly LogLine[] {
    return this.isDue || this.isUnderWay ? [] : this.next;
  }

  /** The file here that a printed path means, or null. */
  async find(path: string): Promise<string | null> {
    if (this.task === null) return null;
    const attempt = this.task.attempts.find(({ number }) => number === this.address.attempt);
    this.finder ??= finderFor(this.task, attempt?.host ?? 'local');
    return (await this.finder).find(path);
  }

  dispose(): void {
    this.isDisposed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.session.close();
  }

  private schedule(): void {
    if (this.isDisposed) return;
    this.isDue = true;
    if (this.timer !== null || this.isUnderWay) return;
    const isLarge = this.session.lines.length > 100_000;
    this.timer = setTimeout(() => this.show(), isLarge ? pause.large : pause.small);
  }

  private show(): void {
    this.timer = null;
    this.isDue = false;
    const before = this.text;
    if (this.content() === before) {
      this.taken();
      return;
    }
    this.isUnderWay = true;
    this.timer = setTimeout(() => this.taken(), patience);
    this.listener.stale(this.uri);
  }
}

function sourceOf(connection: Connection, { id, attempt }: LogAddress): LogSource {
  const client = () => connection.running();
  return {
    async place(position) {
      try {
        const query = { attempt, ...(position !== undefined && { position }) };
        return await (await client()).logPlace(id, query);
      } catch (error) {
        if (!(error instanceof VbatchError) || error.code !== 'notFound') throw error;
        // Where the task is there, this attempt is yet to begin.
        await (await client()).task(id);
        const nothing = { stdout: 0, stderr: 0 };
        return { attempt: 0, over: false, whole: true, size: nothing, position: 0, before: nothing };
      }
    },
    async *read(before, length, signal) {
      const found = await client();
      const { attempts } = await found.task(id);
      if (attempts.length >= attempt) yield* found.log(id, { attempt, ...before, length }, signal);
    },
    async *follow(before, signal) {
      const found = await client();
      const { attempts, resolvedAt } = await found.task(id);
      if (attempts.length >= attempt || resolvedAt === null) {
        yield* found.followAttempt(id, attempt, before, signal);
      }
    },
  };
}

/** Finds the files that a task has named. */
export async function finderFor(
  { cwd, workspace }: Pick<TaskView, 'cwd' | 'workspace'>,
  host: string,
): Promise<PathFinder> {
  const open = openFolders().map(async (path) => ({ path, real: await realpath(path).catch(() => path) }));
  const surroundings = {
    directory: cwd,
    workspace,
    elsewhere: host !== 'local',
    folders: await Promise.all(open),
  };
  return new PathFinder(surroundings, async (path) => {
    try {
      return (await stat(path)).isFile();
    } catch {
      return false;
    }
  });
}
