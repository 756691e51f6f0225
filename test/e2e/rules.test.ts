/** The rules as a person meets them: with the programs, a server and processes. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const config = `
pools:
  one: { hosts: [local], slots: 1 }
  set: { hosts: [local], env: { FROM_POOL: pool, ORDER: pool }, setup: "export FROM_SETUP=$FROM_POOL-setup" }
defaults: { grace: 1s }
`;

describe('the rules', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox(config);
  });
  afterAll(() => sandbox.remove());

  const logOf = async (line: string) => sandbox.log((await sandbox.submitted(line)).id);

  it('R1 ends the flags at the first positional', async () => {
    expect((await logOf('vbatch --name given echo --name x -P y')).stdout).toBe('--name x -P y\n');
    expect((await logOf('vbatch -- echo dashes')).stdout).toBe('dashes\n');
  });

  it('R2 prints the id and nothing else on stdout, and exits 0, 1 or 2', async () => {
    const accepted = await sandbox.shell('vbatch -P cpu-16 true');
    expect(accepted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^true-[0-9a-z]{5}\n$/) });
    expect(accepted.stderr === '' || accepted.stderr.includes('pool cpu-16')).toBe(true);
    const wrong = await sandbox.shell('vbatch --nmae x true');
    expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--name') });
    const refused = await sandbox.shell('vbatch -P nosuch true');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^vbatch: there is no pool "nosuch"; pools: shell, one, set, .*\n$/);
  });

  it.each([
    ['vrun sh -c "echo out; echo err >&2; exit 7"', 7],
    ["vrun sh -c 'kill -USR1 $$'", 128 + 10],
    ['vrun --time 1s sleep 30', 124],
    ['vrun --name never --after-fail fine true', 125],
    ['vbatch -q -f sh -c "exit 3"', 3],
    ['vbatch -q --wait sh -c "exit 4"', 4],
    ['vrun true', 0],
  ])('R3 %s ends with %i', async (line, code) => {
    if (line.includes('fine')) await sandbox.submitted('vbatch --name fine true');
    const ended = await sandbox.shell(line);
    expect(ended.code).toBe(code);
    if (code === 7)
      expect(ended).toMatchObject({ stdout: 'out\n', stderr: expect.stringContaining('err\n') });
  });

  it('R3 holds inside a task as well', async () => {
    const { stdout } = await logOf(
      `vbatch bash -c 'vrun sh -c "echo deep; exit 7"; echo $?; vrun --time 1s sleep 30; echo $?'`,
    );
    expect(stdout).toBe('deep\n7\n124\n');
    const followed = await logOf(`vbatch bash -c 'vbatch -q -f sh -c "echo shown; exit 5"; echo $?'`);
    expect(followed).toMatchObject({ stdout: 'shown\n5\n', stderr: '' });
  });

  it('R3 cancels what a vrun waits for that is told to end inside a task', async () => {
    const run = await sandbox.submitted(
      `vbatch bash -c 'timeout 1 vrun --name slow sh -c "trap \\"echo ended; exit 9\\" TERM; sleep 60 & wait"; echo "code $?"'`,
    );
    expect((await sandbox.log(run.id)).stdout).toBe('ended\ncode 124\n');
    expect(await sandbox.children(run.id)).toMatchObject([
      { name: 'slow', status: 'CANCELLED', exitCode: 9 },
    ]);
  });

  it('makes a child also where the Node program is found before the shim', async () => {
    const node = join(sandbox.folder, 'bin/vbatch');
    const run = await sandbox.submitted(`vbatch bash -c '${node} --name child true'`);
    expect(await sandbox.children(run.id)).toMatchObject([{ name: 'child' }]);
  });

  it('R4 makes one task of a submission that is repeated', async () => {
    const task = { key: 'only-once', command: ['true'], directory: '/' };
    const { port, token } = sandbox.discovery() ?? { port: 0, token: '' };
    const post = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/tasks`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ tasks: [task] }),
      });
      return ((await answer.json()) as { results: { id: string }[] }).results[0]?.id;
    };
    const ids = [await post(), await post(), await post()];
    expect(new Set(ids).size).toBe(1);
  });

  it('R5 takes all its flags, and shows with --dry-run what they would do', async () => {
    const { stdout } = await sandbox.shell('vctl list -o id --header=false --limit 1000');
    const line =
      'vbatch --dry-run -P one -n all -l team=a,kind=b --priority 3 --time 5m --retries 1 --allow-failure --memory 1M -C / -e A=1 --shell "pwd; echo $A"';
    expect(await sandbox.shell(line)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('all-'),
    });
    expect((await sandbox.shell('vctl list -o id --header=false --limit 1000')).stdout).toBe(stdout);
    const task = await sandbox.submitted(line.replace('--dry-run', '').replace('$A', '\\$A'));
    expect(task).toMatchObject({
      name: 'all',
      labels: { team: 'a', kind: 'b' },
      priority: 3,
      pool: 'one',
      cwd: '/',
    });
    expect((await sandbox.log(task.id)).stdout).toBe('/\n1\n');
    expect((await sandbox.shell('vctl search -l team=a,kind=b -o name --header=false')).stdout).toBe('all\n');
  });

  it('R5 takes defaults from a #VBATCH line, here and inside a task; flags win', async () => {
    sandbox.write('defaults.sh', '#!/bin/sh\n#VBATCH --name from-line -P one\necho hello\n');
    expect(await sandbox.submitted('vbatch ./defaults.sh')).toMatchObject({ name: 'from-line', pool: 'one' });
    expect(await sandbox.submitted('vbatch --name mine ./defaults.sh')).toMatchObject({
      name: 'mine',
      pool: 'one',
    });
    const run = await sandbox.submitted('vbatch bash -c "vbatch ./defaults.sh"');
    expect(await sandbox.children(run.id)).toMatchObject([{ name: 'from-line', pool: 'one' }]);
  });

  it('R20 gives shards their numbers, which do not leak into what they submit', async () => {
    sandbox.write(
      'shard.sh',
      "#!/bin/sh\necho $VBATCH_SHARD_ID/$VBATCH_TOTAL_SHARDS $VELDA_SHARD_ID/$VELDA_TOTAL_SHARDS\nvrun --name inner sh -c 'echo inner:$VBATCH_SHARD_ID'\n",
    );
    const run = await sandbox.submitted('vbatch -N 3%2 --name fan ./shard.sh');
    expect(run.status).toBe('SUCCESS');
    for (const index of [0, 1, 2]) {
      expect((await sandbox.log(`${run.id}/${index}`)).stdout).toBe(`${index}/3 ${index}/3\ninner:\n`);
    }
  });

  it('R23 never deadlocks where a script calls vrun into its own one-slot pool', async () => {
    const { stdout } = await logOf(`vbatch -P one bash -c 'vrun -P one bash -c "vrun -P one echo deepest"'`);
    expect(stdout).toBe('deepest\n');
  });

  it('R26 leaves nothing running: not what ignores TERM, nor what left the process group', async () => {
    sandbox.write(
      'stubborn.sh',
      `#!/bin/bash
trap '' TERM
(trap '' TERM; while :; do sleep 0.1; done) & echo $! >>pids
setsid bash -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 0.1; done' &
vbatch --name child sh -c 'echo $$ >>pids; sleep 60'
echo $$ >>pids
touch ready
while :; do sleep 0.1; done
`,
    );
    const id = (await sandbox.shell('vbatch ./stubborn.sh')).stdout.trim();
    await sandbox.shell('until [ -e ready ] && [ $(wc -l <pids) = 4 ]; do sleep 0.02; done');
    const pids = sandbox.read('pids').trim().split('\n').map(Number);
    expect(await sandbox.shell(`vctl cancel ${id}`)).toMatchObject({ code: 0 });
    await sandbox.run('vctl', ['watch', id]);
    expect(await sandbox.task(id)).toMatchObject({ status: 'CANCELLED' });
    expect(pids.filter(isAlive)).toEqual([]);
    const again = await sandbox.shell(`vctl cancel ${id}`);
    expect(again.stdout + again.stderr).toContain('done already: CANCELLED');
  });

  it('R27 stops a command at its time limit', async () => {
    const task = await sandbox.submitted('vbatch --time 1s sleep 60');
    expect(task).toMatchObject({ status: 'FAILURE', reason: 'time limit' });
  });

  it('R28 keeps a log for each attempt', async () => {
    sandbox.write('flaky.sh', '#!/bin/sh\necho attempt $VBATCH_ATTEMPT\n[ $VBATCH_ATTEMPT = 3 ]\n');
    const task = await sandbox.submitted('vbatch --retries 4 ./flaky.sh');
    expect(task).toMatchObject({ status: 'SUCCESS', attempt: 3 });
    for (const attempt of [1, 2, 3]) {
      expect((await sandbox.shell(`vctl log --attempt ${attempt} ${task.id}`)).stdout).toBe(
        `attempt ${attempt}\n`,
      );
    }
  });

  it('R29 runs only the failed part again', async () => {
    sandbox.write(
      'mend.sh',
      '#!/bin/bash\nvbatch --name ok sh -c "echo ok >>trace"\nvbatch --name broken sh -c "echo broken >>trace; test -e mended"\nvbatch --name then --after-success broken sh -c "echo then >>trace"\n',
    );
    const run = await sandbox.submitted('vbatch ./mend.sh');
    expect(run.status).toBe('FAILURE');
    sandbox.write('mended', '');
    expect((await sandbox.shell(`vctl retry ${run.id}`)).code).toBe(0);
    await sandbox.run('vctl', ['watch', run.id]);
    expect(await sandbox.task(run.id)).toMatchObject({ status: 'SUCCESS', attempt: 1 });
    expect(sandbox.read('trace').trim().split('\n').sort()).toEqual(['broken', 'broken', 'ok', 'then']);
  });

  it('R29 does not run a child twice that a script submits again', async () => {
    sandbox.write(
      'again.sh',
      '#!/bin/bash\nfor i in 1 2 3; do vrun --name part$i sh -c "echo part$i >>again" || exit 1; done\ntest -e allowed\n',
    );
    const run = await sandbox.submitted('vbatch ./again.sh');
    expect(run.status).toBe('FAILURE');
    sandbox.write('allowed', '');
    await sandbox.shell(`vctl retry ${run.id}`);
    await sandbox.run('vctl', ['watch', run.id]);
    expect(await sandbox.task(run.id)).toMatchObject({ status: 'SUCCESS', attempt: 2 });
    expect(sandbox.read('again')).toBe('part1\npart2\npart3\n');
  });

  it('R34 puts the environment together in order', async () => {
    const show = (names: string) => `sh -c 'for v in ${names}; do eval "echo \\"$v=\\$$v\\""; done'`;
    const run = await sandbox.submitted(
      `TERMINAL=typed ORDER=terminal vbatch -P set -e ORDER=flag -e TERMINAL ${show('FROM_POOL FROM_SETUP TERMINAL ORDER VBATCH_TASK_NAME VBATCH_POOL VBATCH_HOST VBATCH_ATTEMPT')}`,
    );
    expect((await sandbox.log(run.id)).stdout).toBe(
      'FROM_POOL=pool\nFROM_SETUP=pool-setup\nTERMINAL=typed\nORDER=flag\nVBATCH_TASK_NAME=sh\nVBATCH_POOL=set\nVBATCH_HOST=local\nVBATCH_ATTEMPT=1\n',
    );
    sandbox.write(
      'outer.sh',
      `#!/bin/bash\nexport CHANGED=by-script\nunset TERMINAL\nvrun -e SPACES='a  b' -e KEPT ${show('CHANGED TERMINAL KEPT SPACES VBATCH_TASK_ID').replaceAll('\n', ' ')}\n`,
    );
    const { stdout } = await logOf('TERMINAL=typed KEPT=kept vbatch ./outer.sh');
    expect(stdout).toMatch(
      /^CHANGED=by-script\nTERMINAL=\nKEPT=kept\nSPACES=a {2}b\nVBATCH_TASK_ID=outer-[0-9a-z]{5}\/sh\n$/,
    );
  });

  it('R35 runs where the submitter is, also inside a task', async () => {
    sandbox.write('sub/here.sh', '#!/bin/sh\npwd\n');
    expect((await logOf('cd sub && vbatch ./here.sh')).stdout).toBe(`${join(sandbox.work, 'sub')}\n`);
    expect((await logOf('vbatch bash -c "cd sub && vrun ./here.sh"')).stdout).toBe(
      `${join(sandbox.work, 'sub')}\n`,
    );
    expect((await logOf('vbatch -C sub ./here.sh')).stdout).toBe(`${join(sandbox.work, 'sub')}\n`);
  });

  it('R36 leaves stdin empty and keeps stdout and stderr apart and in order', async () => {
    sandbox.write(
      'both.sh',
      '#!/bin/sh\ncat\nfor i in 1 2 3; do echo out$i; sleep 0.2; echo err$i >&2; sleep 0.2; done\n',
    );
    const run = await sandbox.submitted('vbatch ./both.sh </etc/passwd');
    expect(await sandbox.log(run.id)).toMatchObject({
      stdout: 'out1\nout2\nout3\n',
      stderr: 'err1\nerr2\nerr3\n',
    });
    expect((await sandbox.shell(`vctl log ${run.id} 2>&1`)).stdout).toBe(
      'out1\nerr1\nout2\nerr2\nout3\nerr3\n',
    );
  });

  it('follows a log while the task runs', async () => {
    const id = (
      await sandbox.shell(`vbatch sh -c 'echo first; until [ -e go ]; do sleep 0.05; done; echo last'`)
    ).stdout.trim();
    const following = sandbox.spawn('vctl', ['log', '-f', id]);
    let seen = '';
    following.stdout?.setEncoding('utf8');
    following.stdout?.on('data', (text: string) => {
      seen += text;
      if (seen === 'first\n') sandbox.write('go', '');
    });
    await once(following, 'close');
    expect(seen).toBe('first\nlast\n');
  });

  it('R31 lets tasks go on without a server, and the next one adopts them', async () => {
    const id = (
      await sandbox.shell(
        `vbatch sh -c 'touch adopted-started; until [ -e adopted ]; do sleep 0.05; done; echo done'`,
      )
    ).stdout.trim();
    await sandbox.shell('until [ -e adopted-started ]; do sleep 0.02; done');
    expect((await sandbox.run('vctl', ['server', 'stop'])).code).toBe(0);
    expect(existsSync(join(sandbox.state, 'server.json'))).toBe(false);
    sandbox.write('adopted', '');
    expect((await sandbox.run('vctl', ['watch', id])).code).toBe(0);
    expect(await sandbox.task(id)).toMatchObject({ status: 'SUCCESS', attempt: 1 });
  });

  it('R26 does not end a server that was started from inside the task that is cancelled', async () => {
    await sandbox.run('vctl', ['server', 'start']);
    const before = sandbox.discovery()?.pid;
    const id = (
      await sandbox.shell(`vbatch bash -c 'vctl server stop; vctl server start; touch restarted; sleep 60'`)
    ).stdout.trim();
    await sandbox.shell('until [ -e restarted ]; do sleep 0.02; done');
    const pid = sandbox.discovery()?.pid ?? 0;
    expect(pid).not.toBe(before);
    expect((await sandbox.run('vctl', ['cancel', id])).code).toBe(0);
    await sandbox.run('vctl', ['watch', id]);
    expect(await sandbox.task(id)).toMatchObject({ status: 'CANCELLED' });
    expect(sandbox.discovery()?.pid).toBe(pid);
    expect(isAlive(pid)).toBe(true);
  });

  it('keeps its secrets to itself: modes of files, nothing in the log', async () => {
    const { stdout } = await sandbox.shell(
      `find ${sandbox.state} ! -type l -perm /077 ! -path '*/hosts/*' ! -type s`,
    );
    expect(stdout).toBe('');
    const token = sandbox.discovery()?.token ?? 'no token';
    expect(readFileSync(join(sandbox.state, 'server.log'), 'utf8')).not.toContain(token);
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
