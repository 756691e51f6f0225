import { describe, expect, it } from 'vitest';
import type { Context } from '../../../cli/commands/context.ts';
import { runVctl } from '../../../cli/vctlProgram.ts';
import type { Client } from '../../../server/client/client.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { Finding, Pruned, Question } from '../../../server/protocol/hosts.ts';
import type { HostView } from '../../../server/protocol/tasks.ts';
import { hostView, keyQuestion } from '../../support/fakeHosts.ts';
import { type FakeIo, fakeIo, start } from './fixture.ts';

/** A server with these hosts; what comes of a connection is taken from `outcomes`. */
interface Server {
  asked: unknown[];
  hosts: HostView[];
  outcomes: (Question | VbatchError | null)[];
  findings: Finding[];
  pruned: Pruned[];
}

const nothingPruned: Pruned = {
  freed: 0,
  attempts: 0,
  versions: 0,
  environments: 0,
  folders: 0,
  others: [],
};

function server(change: Partial<Server> = {}): Server {
  const findings: Finding[] = [{ topic: 'sftp', status: 'ok', text: 'it works', fix: null }];
  return { asked: [], hosts: [], outcomes: [], findings, pruned: [], ...change };
}

function clientOf({ asked, hosts, outcomes, findings, pruned }: Server): Client {
  const next = async (name: string) => {
    const outcome = outcomes.shift() ?? null;
    if (outcome instanceof VbatchError) throw outcome;
    return { host: hostView({ name }), question: outcome };
  };
  const fake = {
    hosts: async () => hosts,
    addHost: async ({ name, host }: { name: string; host: unknown }) => {
      asked.push(['add', name, host]);
      return { file: '/config.yaml', changed: !hosts.some((each) => each.name === name) };
    },
    removeHost: async (name: string, force: boolean) => {
      asked.push(['remove', name, force]);
      return { file: '/config.yaml', changed: true };
    },
    connectHost: async (name: string, workspace: string | null) => {
      asked.push(['connect', name, workspace]);
      return next(name);
    },
    answerHost: async (name: string, request: unknown) => {
      asked.push(['answer', name, request]);
      return next(name);
    },
    disconnectHost: async (name: string) => {
      asked.push(['disconnect', name]);
      return hostView({ name, state: 'disconnected', running: 2 });
    },
    checkHost: async (name: string) => {
      asked.push(['check', name]);
      return { host: name, findings };
    },
    pruneHost: async (name: string, folders: string[]) => {
      asked.push(['prune', name, folders]);
      return pruned.shift() ?? nothingPruned;
    },
  };
  return fake as unknown as Client;
}

/** Runs a command line; at each question on stderr, the next of `typed` is typed. */
async function vctl(
  args: readonly string[],
  { typed, ...change }: Partial<Server> & { typed?: string[] } = {},
) {
  const io: FakeIo = fakeIo({ terminal: typed !== undefined, env: { NO_COLOR: '1' } });
  const answers = [...(typed ?? [])];
  io.stderr.on('written', (text: string) => {
    if (/[?:] $/.test(text) && answers.length > 0)
      setImmediate(() => io.keyboard.press(answers.shift() ?? ''));
  });
  const fake = server(change);
  let code = 0;
  const context: Context = {
    io,
    home: '/state',
    connect: async () => clientOf(fake),
    connectIfRunning: async () => clientOf(fake),
    workspace: null,
    now: () => start,
    exitWith: (given) => {
      code = given;
    },
  };
  await runVctl(args, context, '1.2.3');
  return { stdout: io.stdout.text, stderr: io.stderr.text, code, asked: fake.asked, io };
}

const addBox = (...more: string[]) => ['host', 'add', 'box', '--ssh', 'me@10.0.0.5:2222', ...more];

describe('vctl host add', () => {
  it('has it written down, connects, and shows what was found', async () => {
    const options = ['--gpus', '2', '--memory', '256G', '--cpus', '0.5', '--setup', 'module load x'];
    const { stdout, asked, code } = await vctl(addBox(...options));
    const entry = { ssh: 'me@10.0.0.5:2222', cpus: 0.5, memory: '256G', gpus: 2, setup: 'module load x' };
    expect(asked).toEqual([
      ['add', 'box', entry],
      ['connect', 'box', null],
      ['check', 'box'],
    ]);
    expect(JSON.stringify(asked[0])).toBe(JSON.stringify(['add', 'box', entry]));
    expect(stdout).toBe('box is added to /config.yaml\nbox\n  ✓ sftp  it works\n  all is well\n');
    expect(code).toBe(0);
  });

  it('leaves it to the server to say what is wrong with a number', async () => {
    expect((await vctl(addBox('--cpus', 'many'))).asked[0]).toMatchObject(['add', 'box', { cpus: 'many' }]);
  });

  it('asks about the host key at the terminal, and passes the answer on', async () => {
    const { stderr, asked } = await vctl(addBox(), { outcomes: [keyQuestion], typed: ['yep\r', 'yes\r'] });
    expect(asked).toContainEqual(['answer', 'box', { id: 'q1', answer: 'yes' }]);
    expect(stderr).toBe(`${keyQuestion.text}yep\nPlease type 'yes', 'no' or the fingerprint: yes\n`);
  });

  it('shows nothing of a passphrase, of which some was corrected', async () => {
    const question: Question = {
      id: 'q2',
      kind: 'passphrase',
      host: 'box',
      text: "Enter passphrase for key '/k\x1b[2J': ",
      echo: false,
      fingerprint: null,
    };
    const { stderr, asked, io } = await vctl(addBox(), {
      outcomes: [question],
      typed: ['wrong\x15opex\x7fn é\n'],
    });
    expect(asked).toContainEqual(['answer', 'box', { id: 'q2', answer: 'open é' }]);
    expect(stderr).toBe("Enter passphrase for key '/k␛[2J': \n");
    expect(io.keyboard.raw).toBe(false);
  });

  it.each([['no\r'], ['\x03'], ['\x04']])('gives up at %j, and takes the question back', async (key) => {
    const line = vctl(addBox(), { outcomes: [keyQuestion], typed: [key] });
    await expect(line).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /^the host key of box is not known: SHA256:abc\. It was not accepted\nbox stays in .*vctl host remove box/,
      ),
    });
  });

  it('without a terminal refuses an unknown key with its fingerprint, and says how to accept it', async () => {
    const asked: unknown[] = [];
    const line = vctl(addBox(), { asked, outcomes: [keyQuestion] });
    await expect(line).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /SHA256:abc\. Compare it .* add --accept-new-key, or run `vctl host connect box`/,
      ),
    });
    expect(asked).toContainEqual(['answer', 'box', { id: 'q1', answer: null }]);
    // The same command line with the flag goes on from there.
    const again = await vctl(addBox('--accept-new-key'), { hosts: [hostView()], outcomes: [keyQuestion] });
    expect(again.stdout).toContain('box is in /config.yaml already');
    expect(again.stderr).toBe('vctl: accepting the host key of box: SHA256:abc\n');
    expect(again.asked).toContainEqual(['answer', 'box', { id: 'q1', answer: 'yes' }]);
  });

  it('asks again where the host has hung up before the answer', async () => {
    const outcomes = [
      keyQuestion,
      new VbatchError('notFound', 'box does not ask that any more'),
      keyQuestion,
    ];
    const { asked } = await vctl(addBox(), { outcomes, typed: ['yes\r', 'yes\r'] });
    expect(asked.map((each) => (each as string[])[0])).toEqual([
      'add',
      'connect',
      'answer',
      'connect',
      'answer',
      'check',
    ]);
  });

  it('says why a host cannot be reached, and what then', async () => {
    const outcomes = [new VbatchError('unreachable', 'box cannot be reached: nobody answers.')];
    await expect(vctl(addBox(), { outcomes })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(
        /^box cannot be reached: nobody answers\nbox stays in .*vctl host connect box/,
      ),
    });
  });

  it('fails where the check does', async () => {
    const findings: Finding[] = [
      { topic: 'sftp', status: 'failure', text: 'there is none', fix: 'Subsystem' },
      { topic: 'clock', status: 'warning', text: 'late', fix: 'NTP' },
    ];
    const { stdout, code } = await vctl(addBox(), { findings });
    expect(code).toBe(1);
    expect(stdout).toContain(
      'box\n  ✗ sftp   there is none\n           → Subsystem\n  ! clock  late\n           → NTP\n  1 failure, 1 warning\n',
    );
  });
});

it('vctl host remove has it taken out, also by force', async () => {
  const { stdout, asked } = await vctl(['host', 'remove', 'box']);
  expect(stdout).toBe('box is taken out of /config.yaml\n');
  await vctl(['host', 'remove', 'box', '--force'], { asked });
  expect(asked).toEqual([
    ['remove', 'box', false],
    ['remove', 'box', true],
  ]);
});

describe('vctl host connect and disconnect', () => {
  it('say what has come of it', async () => {
    expect((await vctl(['host', 'connect', 'box'])).stdout).toBe('box is online\n');
    expect((await vctl(['host', 'disconnect', 'box'])).stdout).toBe(
      'box is disconnected; 2 tasks go on there\n',
    );
  });

  it('say what would be asked where there is no terminal', async () => {
    const question: Question = { ...keyQuestion, kind: 'prompt', text: 'PAM\nCode: ', fingerprint: null };
    await expect(vctl(['host', 'connect', 'box'], { outcomes: [question] })).rejects.toMatchObject({
      code: 'refused',
      message:
        'box is not connected; "Code:" cannot be asked without a terminal: run `vctl host connect box` in a terminal',
    });
  });
});

describe('vctl host check', () => {
  it('looks at all hosts, or at those that are named', async () => {
    const hosts = [hostView({ name: 'local' }), hostView()];
    const all = await vctl(['host', 'check'], { hosts });
    expect(all.asked).toEqual([
      ['check', 'local'],
      ['check', 'box'],
    ]);
    const json = JSON.parse((await vctl(['host', 'check', 'box', '-o', 'json'])).stdout);
    expect(json).toEqual([
      { host: 'box', findings: [{ topic: 'sftp', status: 'ok', text: 'it works', fix: null }] },
    ]);
  });

  it('ends with 1 after a failure, and shows no escapes', async () => {
    const findings: Finding[] = [
      { topic: 'start-up', status: 'failure', text: 'prints "\x1b[2J"', fix: null },
    ];
    const { stdout, code } = await vctl(['host', 'check', 'box'], { findings });
    expect([stdout, code]).toEqual(['box\n  ✗ start-up  prints "␛[2J"\n  1 failure\n', 1]);
  });
});

describe('vctl host prune', () => {
  const others = [
    {
      folder: 'b'.repeat(24),
      bytes: 3 * 1024 ** 2,
      usedAt: new Date(start - 3_600_000).toISOString(),
      busy: false,
    },
    { folder: 'c'.repeat(24), bytes: 1, usedAt: null, busy: true },
  ];

  it('goes through the hosts that are online, and says how much it was', async () => {
    const hosts = [hostView(), hostView({ name: 'off', state: 'unreachable' })];
    const pruned = [{ ...nothingPruned, freed: 2048, versions: 2, attempts: 1, others }];
    const { stdout, asked } = await vctl(['host', 'prune'], { hosts, pruned });
    expect(asked).toEqual([['prune', 'box', []]]);
    expect(stdout).toBe(
      'box: removed 1 attempt, 2 old versions: 2K freed\nbox: 1 other server of yours has left 3M; --all asks about them\n',
    );
    expect((await vctl(['host', 'prune', 'box'])).stdout).toBe('box: nothing to remove\n');
  });

  it('asks about each other server’s folder in which nothing runs', async () => {
    const pruned = [
      { ...nothingPruned, others },
      { ...nothingPruned, freed: 3 * 1024 ** 2, folders: 1 },
    ];
    const yes = await vctl(['host', 'prune', 'box', '--all'], { pruned, typed: ['y\r'] });
    expect(yes.stderr).toContain(
      `box: remove the folder ${'b'.repeat(24)} of another server (3M, last used 1h ago) [y/N]? `,
    );
    expect(yes.asked.at(-1)).toEqual(['prune', 'box', ['b'.repeat(24)]]);
    expect(yes.stdout).toContain("box: removed 1 other server's folder: 3M freed\n");
    const no = await vctl(['host', 'prune', 'box', '--all'], {
      pruned: [{ ...nothingPruned, others }],
      typed: ['\r'],
    });
    expect(no.asked).toEqual([['prune', 'box', []]]);
  });

  it('removes nothing of others without a terminal', async () => {
    const asked: unknown[] = [];
    await expect(vctl(['host', 'prune', '--all'], { asked })).rejects.toMatchObject({ code: 'refused' });
    expect(asked).toEqual([]);
  });
});

describe('completion of hosts', () => {
  it('offers the hosts, and for a new one what ssh knows', async () => {
    const hosts = [hostView({ name: 'local' }), hostView({ name: 'gpu-box', state: 'unreachable' })];
    const completed = (...words: string[]) =>
      vctl(['__complete', 'bash', 'vctl', 'host', ...words], { hosts });
    for (const command of ['connect', 'disconnect', 'check', 'prune', 'remove']) {
      expect((await completed(command, 'gp')).stdout).toBe('gpu-box\tunreachable\n:none\n');
    }
    expect((await completed('check', 'local', 'gp')).stdout).toBe('gpu-box\tunreachable\n:none\n');
    expect((await completed('')).stdout).toContain('disconnect\tlet go of');
    expect((await completed('check', '-o', '')).stdout).toBe('json\t\nyaml\t\n:none\n');
  });
});
