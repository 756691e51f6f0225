import { describe, expect, it } from 'vitest';
import type { Context } from '../../../cli/commands/context.ts';
import { runVctl, vctlProgram } from '../../../cli/vctlProgram.ts';
import type { Client } from '../../../server/client/client.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { TaskDetail, TaskList } from '../../../server/protocol/tasks.ts';
import { detail, fakeIo, iso, start, view } from './fixture.ts';

const run = view('p-1', 'RUNNING_SUBTASKS', { children: { total: 2, done: 1, failed: 1 } });
const train = view('p-1/train', 'FAILURE', {
  command: ['sh', '-c', 'exit 3'],
  reason: 'exited with 3\x1b[2J',
});

/** A server with one run; remembers the questions. */
function fakeClient(asked: unknown[], changes: Partial<Record<keyof Client, unknown>> = {}): Client {
  const answer =
    (name: string, value: unknown) =>
    async (...args: unknown[]) => {
      asked.push([name, ...args]);
      return value;
    };
  const action = (name: string) => async (id: string) => {
    asked.push([name, id]);
    if (id === 'nope') throw new VbatchError('notFound', 'there is no task "nope"');
    return { id, changed: true, message: `${id} is ${name}ed` };
  };
  const attempt = {
    number: 1,
    host: 'local',
    state: 'ended' as const,
    gpus: [0, 2],
    exitCode: 3,
    signal: null,
    reason: null,
    placedAt: iso(0),
    startedAt: iso(0),
    endedAt: iso(12),
  } satisfies TaskDetail['attempts'][number];
  const page: TaskList = { tasks: [run], next: '17' };
  const fake = {
    list: answer('list', page),
    task: answer('task', detail(train, { attempts: [attempt], retries: 2, timeLimit: 5400 })),
    tree: answer('tree', [run, train]),
    explain: answer('explain', {
      id: 'p-1',
      status: 'PENDING',
      sentences: ['waits for prep', 'and\x1b more'],
    }),
    cancel: action('cancel'),
    hold: action('hold'),
    release: action('release'),
    retry: action('retry'),
    prune: answer('prune', { removed: ['a-1', 'a-1/b', 'c-2'] }),
    pools: answer('pools', []),
    hosts: answer('hosts', []),
    async *log(...args: unknown[]) {
      asked.push(['log', ...args]);
      yield { stream: 'stderr', data: Buffer.from('err\n') };
      yield { stream: 'stdout', data: Buffer.from('out\n') };
    },
    async *followLog(id: string) {
      asked.push(['followLog', id]);
      yield { stream: 'stdout', data: Buffer.from('all\n') };
    },
    ...changes,
  };
  return fake as unknown as Client;
}

async function vctl(...args: string[]) {
  const asked: unknown[] = [];
  const io = fakeIo();
  let code = 0;
  const context: Context = {
    io,
    home: '/home/ada/.local/state/vbatch',
    connect: async () => fakeClient(asked),
    connectIfRunning: async () => null,
    workspace: '/work',
    now: () => start + 90_000,
    exitWith: (given) => {
      code = given;
    },
  };
  await runVctl(args, context, '1.2.3');
  return { stdout: io.stdout.text, stderr: io.stderr.text, code, asked };
}

describe('vctl task', () => {
  it('list shows runs, or the children of a task, page by page', async () => {
    const runs = await vctl(
      'task',
      'list',
      '-o',
      'id,children',
      '--header=false',
      '--limit',
      '5',
      '--after',
      '20',
    );
    expect(runs.asked).toEqual([['list', { top: true, limit: 5, after: '20' }]]);
    expect(runs.stdout).toBe('p-1  1/2\n');
    expect(runs.stderr).toBe('vctl: there are more; add --after 17\n');
    expect((await vctl('task', 'list', 'p-1')).asked).toEqual([['list', { parent: 'p-1' }]]);
  });

  it('search finds by labels and text', async () => {
    const { asked } = await vctl('task', 'search', '-l', 'a=1,b=2', '-l', 'c=3', '*.csv');
    expect(asked).toEqual([['list', { text: '*.csv', label: ['a=1', 'b=2', 'c=3'] }]]);
  });

  it('get shows one task, and none of its escapes', async () => {
    expect((await vctl('task', 'get', 'p-1/train')).stdout).toBe(
      [
        'id          p-1/train',
        'name        train',
        'status      ✗ FAILURE',
        'reason      exited with 3␛[2J',
        "command     sh -c 'exit 3'",
        'directory   /work',
        'pool        cpu-4',
        'host        local',
        'time limit  1h30m',
        'retries     2',
        'submitted   2025-03-01T11:59:50.000Z',
        'started     2025-03-01T12:00:00.000Z',
        'done        2025-03-01T12:00:12.000Z',
        'duration    12s',
        'attempt 1   exit code 3 on local, GPUs 0 2',
        '',
      ].join('\n'),
    );
    const json = JSON.parse((await vctl('task', 'get', 'p-1/train', '-o', 'json')).stdout);
    expect(json).toMatchObject({ id: 'p-1/train', exitCode: 3 });
    expect(json).not.toHaveProperty('attempts');
  });

  it('tree draws a task, or the newest runs', async () => {
    const one = await vctl('task', 'tree', 'p-1');
    expect(one.asked).toEqual([['tree', 'p-1', 10_000]]);
    expect(one.stdout.split('\n')[1]).toBe('└─ train  ✗ FAILURE                  12s  exited with 3␛[2J');
    expect((await vctl('task', 'tree')).asked[0]).toEqual(['list', { top: true, limit: 10 }]);
  });

  it('R36 log keeps stdout and stderr apart', async () => {
    const both = await vctl('task', 'log', 'p-1/train');
    expect([both.stdout, both.stderr]).toEqual(['out\n', 'err\n']);
    expect(both.asked).toEqual([['log', 'p-1/train', { stream: 'both', follow: false }]]);
    expect((await vctl('task', 'log', '--stderr', '--attempt', '2', 'x')).asked).toEqual([
      ['log', 'x', { stream: 'stderr', follow: false, attempt: 2 }],
    ]);
    expect((await vctl('task', 'log', '-f', 'x')).asked).toEqual([['followLog', 'x']]);
  });

  it('explain says why, in sentences', async () => {
    expect((await vctl('task', 'explain', 'p-1')).stdout).toBe(
      'p-1  ○ PENDING\n  waits for prep\n  and␛ more\n',
    );
  });

  it('cancel, retry, hold and release go on after a refusal', async () => {
    for (const name of ['cancel', 'retry', 'hold', 'release']) {
      const { stdout, stderr, code, asked } = await vctl('task', name, 'a-1', 'nope', 'b-2');
      expect(asked).toEqual([
        [name, 'a-1'],
        [name, 'nope'],
        [name, 'b-2'],
      ]);
      expect(stdout).toBe(`a-1 is ${name}ed\nb-2 is ${name}ed\n`);
      expect(stderr).toBe('vctl: there is no task "nope"\n');
      expect(code).toBe(1);
    }
  });

  it('prune removes what is old', async () => {
    const { stdout, asked } = await vctl('task', 'prune', '--older-than', '90s', '--keep', '3');
    expect(asked).toEqual([['prune', { before: iso(0), keep: 3 }]]);
    expect(stdout).toBe('removed 3 tasks of 2 runs\n');
  });

  it('may be left out', async () => {
    expect((await vctl('list', '-o', 'id', '--header=false')).stdout).toBe('p-1\n');
    expect((await vctl('cancel', 'a-1')).stdout).toBe('a-1 is canceled\n');
  });
});

describe('vctl besides tasks', () => {
  it('pools are those of the workspace', async () => {
    expect((await vctl('pool', 'list', '-o', 'name', '--header=false')).asked).toEqual([['pools', '/work']]);
  });

  it('server status and stop start none', async () => {
    const status = await vctl('server', 'status');
    expect([status.stdout, status.code]).toEqual(['no server runs in /home/ada/.local/state/vbatch\n', 1]);
    const stop = await vctl('server', 'stop');
    expect([stop.stdout, stop.code]).toEqual(['no server runs in /home/ada/.local/state/vbatch\n', 0]);
  });

  it('completion prints the script of a shell, and pressing the tab key starts no server', async () => {
    expect((await vctl('completion', 'bash')).stdout).toContain(
      'complete -F _vbatch_complete vbatch vrun vctl',
    );
    const completed = await vctl('__complete', 'bash', 'vbatch', '-P', '');
    expect([completed.stdout, completed.asked]).toEqual([':none\n', []]);
    expect((await vctl('__complete', 'bash', 'vctl', 'task', 'get', '--out')).stdout).toBe(
      '--output\tjson or yaml\n:none\n',
    );
  });
});

describe('vctl used wrongly', () => {
  it.each([
    [['tsak', 'list'], "unknown command 'tsak'; did you mean task?"],
    [['lsit'], "unknown command 'lsit'; did you mean list?"],
    [['frobnicate'], "unknown command 'frobnicate'; see `vctl --help`"],
    [['task', 'lsit'], "unknown command 'lsit'; did you mean list?"],
    [['task', 'list', '--limti', '3'], "unknown option '--limti'; did you mean --limit?"],
    [['task', 'list', '--limit', '0'], '--limit "0": expected a number from 1 to 1000'],
    [['task', 'list', '--header', 'no'], '--header "no": expected true or false'],
    [['task', 'get'], "missing required argument 'id'; see `vctl --help`"],
    [['task', 'get', '-o', 'wide', 'x'], '-o "wide": expected json or yaml'],
    [['task', 'log', '--attempt', '0', 'x'], '--attempt "0": expected the number of an attempt, from 1'],
    [['task', 'prune', '--keep', 'x'], '--keep "x": expected a number of runs'],
    [['task', 'search', '-l', 'x'], '--labels "x": expected key=value, or several separated by commas'],
    [[], 'this needs a command; they are listed above'],
  ])('%j', async (args, message) => {
    await expect(vctl(...args)).rejects.toThrow(expect.objectContaining({ code: 'usage', message }));
  });

  it('an unknown column asks the server nothing', async () => {
    await expect(vctl('task', 'list', '-o', 'stauts')).rejects.toThrow('did you mean status?');
  });
});

describe('vctl help', () => {
  it('every command has a description, and examples', () => {
    const context = { io: fakeIo() } as unknown as Context;
    const program = vctlProgram(context, '1.2.3');
    for (const group of program.commands) {
      for (const command of group.commands) {
        let help = '';
        command.configureOutput({ writeOut: (text) => (help += text) });
        command.outputHelp();
        expect(command.description(), command.name()).not.toBe('');
        expect(help, command.name()).toContain('Examples:\n  vctl ');
      }
    }
  });

  it('is printed, and is no error', async () => {
    expect((await vctl('task', 'list', '--help')).stdout).toContain('Usage: vctl task list');
    expect((await vctl('--version')).stdout).toBe('vctl 1.2.3\n');
  });
});
