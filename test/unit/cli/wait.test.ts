import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type WaitingClient, waitFor } from '../../../cli/wait.ts';
import type { StdinRequest, TaskDetail, TaskView } from '../../../server/protocol/tasks.ts';
import { detail, type FakeIo, fakeIo, view } from './fixture.ts';

interface LogChunk {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/** A server with one task, which ends when the test says so. */
class FakeServer implements WaitingClient {
  cancelled = 0;
  /** How often it was told that nothing more is typed. */
  typingEnds = 0;
  private end: (task: TaskView) => void = () => {};
  private readonly done = new Promise<TaskView>((resolve) => {
    this.end = resolve;
  });

  constructor(
    private readonly now: TaskView,
    private readonly log: LogChunk[] = [],
  ) {}

  finish(task: TaskView): void {
    this.end(task);
  }

  async task(): Promise<TaskDetail> {
    return detail(this.now);
  }

  whenDone(_id: string, signal: AbortSignal): Promise<TaskView> {
    const aborted = once(signal, 'abort').then(() => Promise.reject(new Error('aborted')));
    return Promise.race([this.done, aborted]);
  }

  async *followLog(): AsyncGenerator<LogChunk> {
    yield* this.log;
    await this.done;
  }

  async type(_id: string, { end = false }: StdinRequest) {
    if (end) this.typingEnds += 1;
    return { attempt: 1, open: !end };
  }

  async cancel() {
    this.cancelled += 1;
    return { id: this.now.id, changed: true, message: `cancelled ${this.now.id}` };
  }
}

const running = view('train-1', 'RUNNING');

function wait(server: FakeServer, io: FakeIo, program: 'vbatch' | 'vrun' = 'vrun', follow = true) {
  return waitFor(running.id, server, io, { program, follow, quiet: false, typing: false });
}

/** As `wait`, where what is typed goes to the task. */
function waitTyping(server: FakeServer, io: FakeIo) {
  return waitFor(running.id, server, io, { program: 'vrun', follow: true, quiet: false, typing: true });
}

/** Resolves when `stderr` shows this text. */
async function shown(io: FakeIo, text: string): Promise<void> {
  while (!io.stderr.text.includes(text)) await once(io.stderr, 'written');
}

describe('R3 how a wait ends', () => {
  const ends: [string, Partial<TaskView> & Pick<TaskView, 'status'>, number, string][] = [
    ['success', { status: 'SUCCESS' }, 0, ''],
    ['its exit code', { status: 'FAILURE', exitCode: 3 }, 3, ''],
    [
      '128+N for signal N',
      { status: 'FAILURE', exitCode: 137, signal: 'KILL', reason: 'killed by SIGKILL' },
      137,
      'vrun: train-1 ended FAILURE: killed by SIGKILL\n',
    ],
    [
      '124 on time limit',
      { status: 'FAILURE', exitCode: 143, signal: 'TERM', reason: 'time limit' },
      124,
      'vrun: train-1 ended FAILURE: time limit\n',
    ],
    [
      '1 when its children failed',
      { status: 'FAILURE', exitCode: 0, reason: '1 of 2 sub-tasks failed' },
      1,
      'vrun: train-1 ended FAILURE: 1 of 2 sub-tasks failed\n',
    ],
    [
      '1 when shards failed, which have no command above them',
      { status: 'FAILURE', exitCode: null, reason: '1 of 2 sub-tasks failed' },
      1,
      'vrun: train-1 ended FAILURE: 1 of 2 sub-tasks failed\n',
    ],
    [
      '125 when it failed upstream',
      { status: 'FAILED_UPSTREAM', exitCode: null, reason: 'no task "compute" in this run' },
      125,
      'vrun: train-1 ended FAILED_UPSTREAM: no task "compute" in this run\n',
    ],
    [
      '125 when it was skipped',
      { status: 'SKIPPED', exitCode: null, reason: null },
      125,
      'vrun: train-1 ended SKIPPED\n',
    ],
    [
      '125 when it was cancelled before its start',
      { status: 'CANCELLED', exitCode: null, reason: 'cancelled' },
      125,
      'vrun: train-1 ended CANCELLED: cancelled\n',
    ],
    [
      'its code when it was cancelled while it ran',
      { status: 'CANCELLED', exitCode: 143, signal: 'TERM', reason: 'cancelled' },
      143,
      'vrun: train-1 ended CANCELLED: cancelled\n',
    ],
    [
      '1 when it was cancelled after its command had ended well',
      { status: 'CANCELLED', exitCode: 0, reason: 'cancelled' },
      1,
      'vrun: train-1 ended CANCELLED: cancelled\n',
    ],
  ];

  it.each(ends)('R3 with %s', async (_, { status, ...rest }, code, message) => {
    const server = new FakeServer(running);
    const io = fakeIo();
    const ended = wait(server, io);
    server.finish(view('train-1', status, rest));
    expect(await ended).toBe(code);
    expect(io.stderr.text).toBe(message);
  });

  it('R3 its stdout and stderr are passed on to the same streams, byte for byte', async () => {
    const log: LogChunk[] = [
      { stream: 'stdout', data: Buffer.from([0x61, 0xff, 0x00]) },
      { stream: 'stderr', data: Buffer.from('oops\n') },
      { stream: 'stdout', data: Buffer.from('b\n') },
    ];
    const server = new FakeServer(running, log);
    const io = fakeIo();
    const ended = wait(server, io);
    server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(0);
    expect(io.stdout.text).toBe('a\xff\0b\n');
    expect(io.stderr.text).toBe('oops\n');
  });

  it('R3 --wait passes nothing on', async () => {
    const server = new FakeServer(running, [{ stream: 'stdout', data: Buffer.from('x') }]);
    const io = fakeIo();
    const ended = wait(server, io, 'vbatch', false);
    server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(0);
    expect(io.stdout.text).toBe('');
  });
});

describe('a terminal', () => {
  it('shows what a task waits for, and is clean again before its output and at its end', async () => {
    const queued = view('train-1', 'QUEUED', { reason: 'waits: pool gpu-1 is full' });
    const server = new FakeServer(queued, []);
    const io = fakeIo({ terminal: true });
    const ended = wait(server, io);
    await shown(io, 'train-1 QUEUED: waits: pool gpu-1 is full\n');
    server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(0);
    expect(io.stderr.text).toBe('train-1 QUEUED: waits: pool gpu-1 is full\n\x1b[1A\x1b[J');
  });

  it.each([
    ['d', 130, 0, 'vrun: train-1 goes on; `vctl task watch train-1` shows it'],
    ['c', 143, 1, 'vrun: cancelled train-1'],
    ['\x03', 143, 1, 'vrun: cancelled train-1'],
    ['\r', 0, 0, ''],
  ])('asks on Ctrl-C what to do; the key %j ends with %i', async (key, code, cancelled, message) => {
    const server = new FakeServer(running);
    const io = fakeIo({ terminal: true });
    const ended = wait(server, io);
    io.signals.emit('SIGINT', 'SIGINT');
    await shown(io, '[d]etach, [c]ancel, or Ctrl-C again to cancel');
    expect(io.keyboard.raw).toBe(true);
    io.keyboard.press(key);
    expect(io.keyboard.raw).toBe(false);
    await shown(io, message);
    if (code === 143) server.finish(view('train-1', 'CANCELLED', { exitCode: 143, signal: 'TERM' }));
    if (code === 0) server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(code);
    expect(server.cancelled).toBe(cancelled);
  });

  it('stops asking when the task ends meanwhile', async () => {
    const server = new FakeServer(running);
    const io = fakeIo({ terminal: true });
    const ended = wait(server, io);
    io.signals.emit('SIGINT', 'SIGINT');
    await shown(io, '[d]etach');
    server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(0);
    expect(io.keyboard.raw).toBe(false);
  });
});

describe('R36 the stdin of what is waited for', () => {
  it('ends when the wait is left', async () => {
    const server = new FakeServer(running);
    const io = fakeIo({ terminal: true });
    const ended = waitTyping(server, io);
    io.signals.emit('SIGINT', 'SIGINT');
    await shown(io, '[d]etach');
    io.keyboard.press('d');
    expect(await ended).toBe(130);
    expect(server.typingEnds).toBe(1);
    expect(io.signals.eventNames()).toEqual([]);
  });

  it('ends when the terminal is closed, which is told nothing', async () => {
    const server = new FakeServer(running);
    const io = fakeIo({ terminal: true });
    const ended = waitTyping(server, io);
    io.signals.emit('SIGHUP', 'SIGHUP');
    expect(await ended).toBe(129);
    expect(server).toMatchObject({ typingEnds: 1, cancelled: 0 });
    expect(io.stderr.text).toBe('');
  });

  it('ends when the wait fails', async () => {
    const server = new FakeServer(running);
    server.followLog = async function* () {
      yield* [];
      throw new Error('its host is out of reach');
    };
    await expect(waitTyping(server, fakeIo({ terminal: true }))).rejects.toThrow('out of reach');
    expect(server.typingEnds).toBe(1);
  });

  it('needs no end when the task has ended', async () => {
    const server = new FakeServer(running);
    const io = fakeIo({ terminal: true });
    const ended = waitTyping(server, io);
    server.finish(view('train-1', 'SUCCESS'));
    expect(await ended).toBe(0);
    expect(server.typingEnds).toBe(0);
    expect(io.keyboard.eventNames()).toEqual([]);
  });
});

describe('without a terminal', () => {
  it.each(['SIGINT', 'SIGTERM'])('%s cancels what vrun waits for, and waits for its end', async (signal) => {
    const server = new FakeServer(running);
    const io = fakeIo();
    const ended = wait(server, io);
    io.signals.emit(signal, signal);
    await shown(io, 'vrun: cancelled train-1\n');
    server.finish(view('train-1', 'CANCELLED', { exitCode: 143, signal: 'TERM', reason: 'cancelled' }));
    expect(await ended).toBe(143);
  });

  it('a second signal leaves a cancellation that takes too long', async () => {
    const server = new FakeServer(running);
    const io = fakeIo();
    const ended = wait(server, io);
    io.signals.emit('SIGTERM', 'SIGTERM');
    await shown(io, 'vrun: cancelled train-1\n');
    io.signals.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(143);
    expect(server.cancelled).toBe(1);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s leaves what vbatch has submitted, with %i', async (signal, code) => {
    const server = new FakeServer(running);
    const io = fakeIo();
    const ended = wait(server, io, 'vbatch');
    io.signals.emit(signal, signal);
    expect(await ended).toBe(code);
    expect(server.cancelled).toBe(0);
  });

  it('leaves no listener behind', async () => {
    const server = new FakeServer(running);
    const io = fakeIo();
    const ended = wait(server, io);
    server.finish(view('train-1', 'SUCCESS'));
    await ended;
    expect(io.signals.eventNames()).toEqual([]);
  });
});
