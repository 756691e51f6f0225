import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSubmission, type SubmittingClient, workingDirectory } from '../../../cli/submit.ts';
import type { Address } from '../../../server/client/transport.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import {
  type SubmitRequest,
  type SubmitResult,
  submitRequestSchema,
  type TaskDetail,
  type TaskView,
} from '../../../server/protocol/tasks.ts';
import { detail, type FakeIo, fakeIo, view } from './fixture.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vbatch-submit-'));
  mkdirSync(join(folder, 'workspace/.vbatch'), { recursive: true });
  mkdirSync(join(folder, 'workspace/deep'));
  writeFileSync(join(folder, 'workspace/.vbatch/config.yaml'), '');
  writeFileSync(join(folder, 'train.py'), '#!/usr/bin/env python3\n#VBATCH -P gpu-1 -e HOME\nprint(1)\n');
  writeFileSync(join(folder, 'bad.sh'), '#!/bin/sh\n#VBATCH --poool x\n');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A server that accepts or refuses everything, and remembers what it was asked. */
class FakeServer implements SubmittingClient {
  readonly requests: SubmitRequest[] = [];

  constructor(
    private readonly result: SubmitResult = { id: 'train-1', notes: [] },
    private readonly end: TaskView = view('train-1', 'SUCCESS'),
  ) {}

  async submit(request: SubmitRequest): Promise<SubmitResult[]> {
    submitRequestSchema.parse(request);
    this.requests.push(request);
    return [this.result];
  }

  async task(): Promise<TaskDetail> {
    return detail(this.end);
  }

  async whenDone(): Promise<TaskView> {
    return this.end;
  }

  async *followLog() {
    yield { stream: 'stdout' as const, data: Buffer.from('out\n') };
  }

  async type() {
    return { attempt: 1, open: true };
  }

  async pageAddress(id: string | null): Promise<string> {
    return `http://127.0.0.1:1/#open/ticket/${id}`;
  }

  async locate(): Promise<Address> {
    throw new VbatchError('noServer', 'there is none');
  }

  async cancel() {
    return { id: 'train-1', changed: true, message: '' };
  }
}

function run(
  args: string[],
  server = new FakeServer(),
  io: FakeIo = fakeIo(),
  program: 'vbatch' | 'vrun' = 'vbatch',
  variables: Record<string, string> = {},
) {
  return runSubmission({
    program,
    args,
    directory: folder,
    environment: { HOME: '/home/ada', ...variables },
    version: '1.2.3',
    io,
    connect: async () => server,
  });
}

describe('R2 what vbatch prints', () => {
  it('R2 the id and nothing else on stdout, notes on stderr', async () => {
    const io = fakeIo();
    const server = new FakeServer({ id: 'train-1', notes: ['pool cpu-64 is cut to 8 CPUs'] });
    expect(await run(['true'], server, io)).toBe(0);
    expect(io.stdout.text).toBe('train-1\n');
    expect(io.stderr.text).toBe('vbatch: pool cpu-64 is cut to 8 CPUs\n');
  });

  it('R2 no notes with -q', async () => {
    const io = fakeIo();
    await run(['-q', 'true'], new FakeServer({ id: 'train-1', notes: ['a note'] }), io);
    expect(io.stderr.text).toBe('');
  });

  it('R2 wrong usage and refusals are errors with their codes, and submit nothing', async () => {
    const server = new FakeServer();
    await expect(run(['--poool', 'x', 'true'], server)).rejects.toMatchObject({ code: 'usage' });
    expect(server.requests).toEqual([]);
    const refusing = new FakeServer({ error: { code: 'refused', message: 'no pool "x"' } });
    await expect(run(['-P', 'x', 'true'], refusing)).rejects.toMatchObject({
      code: 'refused',
      message: 'no pool "x"',
    });
  });

  it('help and version need no server', async () => {
    const io = fakeIo();
    const server = new FakeServer();
    expect(await run(['--version'], server, io)).toBe(0);
    expect(await run(['-h'], server, io)).toBe(0);
    expect(io.stdout.text).toContain('vbatch 1.2.3\n');
    expect(io.stdout.text).toContain('Usage: vbatch');
    expect(server.requests).toEqual([]);
  });

  it('-o json prints the task', async () => {
    const io = fakeIo();
    await run(['-o', 'json', 'true'], new FakeServer(), io);
    expect(JSON.parse(io.stdout.text)).toMatchObject({ id: 'train-1', status: 'SUCCESS' });
    expect(JSON.parse(io.stdout.text)).not.toHaveProperty('revision');
  });

  it('--dry-run prints no id on stdout, because there is none yet', async () => {
    const io = fakeIo();
    const server = new FakeServer();
    expect(await run(['--dry-run', 'true'], server, io)).toBe(0);
    expect(server.requests[0]?.dryRun).toBe(true);
    expect(io.stdout.text).toBe('');
    expect(io.stderr.text).toBe('vbatch: would submit train-1\n');
  });
});

describe('R3 who waits', () => {
  const failed = view('train-1', 'FAILURE', { exitCode: 7, reason: 'exited with 7' });

  it.each([
    ['vrun', ['true'], 7, 'out\n', ''],
    ['vbatch', ['-f', 'true'], 7, 'out\n', 'vbatch: train-1\n'],
    ['vbatch', ['--wait', 'true'], 7, 'train-1\n', ''],
    ['vbatch', ['true'], 0, 'train-1\n', ''],
  ] as const)('R3 %s %j exits with %i', async (program, args, code, stdout, stderr) => {
    const io = fakeIo();
    const server = new FakeServer({ id: 'train-1', notes: [] }, failed);
    expect(await run([...args], server, io, program)).toBe(code);
    expect(io.stdout.text).toBe(stdout);
    expect(io.stderr.text).toBe(stderr);
  });

  it('--wait -o json prints the task as it ended', async () => {
    const io = fakeIo();
    expect(await run(['--wait', '-o', 'json', 'true'], new FakeServer(undefined, failed), io)).toBe(7);
    expect(JSON.parse(io.stdout.text).status).toBe('FAILURE');
  });
});

describe('what is submitted', () => {
  it.each([
    [posix, '/work', '.', '/work'],
    [posix, '/work', '../b', '/b'],
    [posix, '/work', '/b/../c/', '/c'],
    [win32, 'C:\\work', '.', 'C:\\work'],
    [win32, 'C:\\work', 'b/c', 'C:\\work\\b\\c'],
    [win32, 'C:\\work', '/data', '/data'],
    [win32, 'C:\\work', 'D:/data', 'D:\\data'],
  ])('%# names its folder as the host knows it', (system, from, given, found) => {
    expect(workingDirectory(from, given, system)).toBe(found);
  });

  async function submitted(args: string[], variables: Record<string, string> = {}) {
    const server = new FakeServer();
    await run(args, server, fakeIo(), 'vbatch', variables);
    const [task] = server.requests[0]?.tasks ?? [];
    if (task === undefined) throw new Error('nothing was submitted');
    return task;
  }

  it('R4 carries a key of its own', async () => {
    const first = await submitted(['true']);
    const second = await submitted(['true']);
    expect(first.key).toMatch(/.{20}/);
    expect(second.key).not.toBe(first.key);
  });

  it('R34 R35 carries the environment and the directory of the submitter', async () => {
    expect(await submitted(['true'])).toMatchObject({
      directory: folder,
      environment: { HOME: '/home/ada' },
      workspace: null,
    });
    expect((await submitted(['-C', 'workspace/../x', 'true'])).directory).toBe(join(folder, 'x'));
    expect((await submitted(['-C', '/', 'true'])).directory).toBe('/');
  });

  it('carries the workspace of the directory', async () => {
    expect((await submitted(['-C', 'workspace/deep', 'true'])).workspace).toBe(join(folder, 'workspace'));
  });

  it('names the folders that an editor around it has open', async () => {
    expect((await submitted(['true'])).opened).toEqual([]);
    const { opened } = await submitted(['true'], { VBATCH_OPENED: '/work:/other:relative:' });
    expect(opened).toEqual(['/work', '/other']);
  });

  it('takes the #VBATCH lines of the script it runs, wherever -C has it', async () => {
    const expected = { pool: 'gpu-1', variables: { HOME: '/home/ada' }, command: ['python', 'train.py'] };
    expect(await submitted(['python', 'train.py'])).toMatchObject(expected);
    expect(await submitted(['-C', 'workspace', '-P', 'gpu-2', 'python', '../train.py'])).toMatchObject({
      pool: 'gpu-2',
    });
    expect((await submitted(['cat', 'train.py'])).pool).toBeUndefined();
    expect((await submitted(['python', 'absent.py'])).pool).toBeUndefined();
    expect((await submitted(['python', folder])).pool).toBeUndefined();
  });

  it('is nothing when such a line is wrong', async () => {
    await expect(run(['sh', 'bad.sh'])).rejects.toThrow(
      'bad.sh, line 2: unknown flag --poool; did you mean --pool?',
    );
  });
});
