/** Tasks, streams and terminals for the tests of the command line. */
import { EventEmitter } from 'node:events';
import type { Io, Output } from '../../../cli/io.ts';
import type { TaskDetail, TaskView } from '../../../server/protocol/tasks.ts';

export const start = Date.parse('2025-03-01T12:00:00.000Z');

export function iso(seconds: number): string {
  return new Date(start + seconds * 1_000).toISOString();
}

/** A task by its id and status; started at 0 s unless it waits. */
export function view(id: string, status: TaskView['status'], rest: Partial<TaskView> = {}): TaskView {
  const waits =
    status === 'PENDING' || status === 'QUEUED' || status === 'FAILED_UPSTREAM' || status === 'SKIPPED';
  const segments = id.split('/');
  return {
    id,
    name: segments.at(-1) ?? '',
    parent: segments.length === 1 ? null : segments.slice(0, -1).join('/'),
    run: segments[0] ?? '',
    status,
    exitCode: status === 'SUCCESS' ? 0 : status === 'FAILURE' ? 3 : null,
    signal: null,
    reason: status === 'FAILURE' ? 'exited with 3' : null,
    pool: 'cpu-4',
    host: waits ? null : 'local',
    attempt: waits ? 0 : 1,
    held: false,
    command: ['python', 'x.py'],
    cwd: '/work',
    workspace: null,
    labels: {},
    priority: 0,
    dependencies: [],
    children: { total: 0, done: 0, failed: 0 },
    createdAt: iso(-10),
    startedAt: waits ? null : iso(0),
    finishedAt: null,
    resolvedAt: status === 'SUCCESS' || status === 'FAILURE' ? iso(12) : null,
    revision: 7,
    ...rest,
  };
}

export function detail(task: TaskView, rest: Partial<TaskDetail> = {}): TaskDetail {
  return {
    ...task,
    attempts: [],
    allowFailure: false,
    timeLimit: null,
    retries: 0,
    terminal: false,
    shards: null,
    ...rest,
  };
}

/** Collects what is written to it. */
export class FakeOutput extends EventEmitter implements Output {
  text = '';

  constructor(
    readonly isTTY = false,
    readonly columns = 80,
    readonly rows = 24,
  ) {
    super();
  }

  write(data: string | Uint8Array): boolean {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
    this.emit('written', this.text);
    return true;
  }
}

/** A keyboard; `press` sends a key. */
export class FakeInput extends EventEmitter {
  readonly readable = true;
  raw = false;

  constructor(readonly isTTY: boolean) {
    super();
  }

  setRawMode(raw: boolean): this {
    this.raw = raw;
    return this;
  }

  resume(): this {
    return this;
  }

  pause(): this {
    return this;
  }

  press(key: string): void {
    this.emit('data', Buffer.from(key));
  }
}

export interface FakeIo extends Io {
  stdout: FakeOutput;
  stderr: FakeOutput;
  keyboard: FakeInput;
  signals: EventEmitter;
}

/** Streams of a process: all of them terminals, or none. */
export function fakeIo({
  terminal = false,
  env = {},
}: {
  terminal?: boolean;
  env?: NodeJS.ProcessEnv;
} = {}): FakeIo {
  const keyboard = new FakeInput(terminal);
  return {
    stdout: new FakeOutput(terminal),
    stderr: new FakeOutput(terminal),
    stdin: keyboard as unknown as Io['stdin'],
    keyboard,
    env,
    setRaw: (raw) => void keyboard.setRawMode(raw),
    signals: new EventEmitter(),
  };
}
