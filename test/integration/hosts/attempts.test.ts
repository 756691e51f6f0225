import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBytes, encodeBytes } from '../../../server/protocol/bytes.ts';
import { Bed, presentSites, until } from './bed.ts';

/** Any text that an argument or a value can be: every byte but NUL. */
const argument = fc.uint8Array({ min: 1, maxLength: 40 }).map(decodeBytes);

const compareText = (a = '', b = '') => (a < b ? -1 : 1);

describe.each(presentSites)('an attempt under %s', (_, site) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open(site);
  });
  afterAll(() => bed.dispose());

  it('ends with the exit code of its command', async () => {
    for (const code of [0, 3, 128, 255]) {
      expect((await bed.run(bed.script(`exit ${code}`))).exit).toEqual({
        exitCode: code,
        signal: null,
        reason: null,
      });
    }
  });

  it('ends with the signal that its command died of', async () => {
    for (const [signal, exitCode] of [
      ['TERM', 143],
      ['KILL', 137],
      ['ABRT', 134],
      ['INT', 130],
      ['PIPE', 141],
    ] as const) {
      const { exit, stderr } = await bed.run(bed.script(`kill -${signal} $$; sleep 5`));
      expect(exit).toEqual({ exitCode, signal, reason: null });
      expect(stderr).toBe('');
    }
  });

  it('reports the start before the end', async () => {
    const { key } = await bed.run({ command: ['true'] });
    const types = bed.reports.all
      .filter((report) => 'key' in report && report.key === key)
      .map((r) => r.type);
    expect(types).toEqual(['started', 'ended']);
  });

  it('R36 keeps stdout and stderr apart, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    writeFileSync(join(bed.work, 'bytes'), bytes);
    const { key, stdout, stderr } = await bed.run(bed.script('cat bytes bytes; cat bytes >&2; printf x'));
    expect(stdout).toBe(`${bytes.toString('latin1').repeat(2)}x`);
    expect(stderr).toBe(bytes.toString('latin1'));
    await bed.whole(key);
    expect(await bed.host.logs.size(key, 'stdout')).toBe(513);
    expect(await bed.host.logs.read(key, 'stdout', 510, 100)).toEqual(Buffer.from('\xfe\xffx', 'latin1'));
    expect(await bed.host.logs.read(key, 'stderr', 1, 2)).toEqual(Buffer.from([1, 2]));
    expect(await bed.host.logs.read(key, 'stderr', 1000, 2)).toEqual(Buffer.alloc(0));
  });

  it('R36 has an empty stdin', async () => {
    expect(await bed.run(bed.script('wc -c; readlink /proc/self/fd/0'))).toMatchObject({
      stdout: expect.stringMatching(/^\s*0\n\/dev\/null\n$/),
    });
  });

  it('leaves no hole and goes on where the command truncates its own stderr', async () => {
    const { stderr } = await bed.run(bed.script('echo one >&2; echo two >/dev/stderr; echo three >&2'));
    expect(stderr).toBe('two\nthree\n');
  });

  it('passes arguments of every byte but NUL', async () => {
    const all = decodeBytes(Uint8Array.from({ length: 255 }, (_, i) => i + 1));
    const check = async (args: string[]) => {
      const { stdout } = await bed.run({ command: ['sh', '-c', 'printf "%s\\0" "$@"', 'sh', ...args] });
      const expected = Buffer.concat(args.flatMap((arg) => [encodeBytes(arg), Buffer.from([0])]));
      expect(Buffer.from(stdout, 'latin1')).toEqual(args.length === 0 ? Buffer.from([0]) : expected);
    };
    await check([all, '', '-n', '--', "it's", '"', '\\', '$HOME', '`x`', '!!', '\n\n', '*', '~', '%s\\0']);
    await fc.assert(fc.asyncProperty(fc.array(argument, { maxLength: 5 }), check), { numRuns: 25 });
  });

  it('passes a megabyte of arguments', async () => {
    const args = Array.from({ length: 10 }, (_, i) => String(i).repeat(100_000));
    const { stdout } = await bed.run({ command: ['sh', '-c', 'printf "%s\\n" "$@"', 'sh', ...args] });
    expect(stdout === `${args.join('\n')}\n`).toBe(true);
  });

  it('passes variables of every byte but NUL', async () => {
    const check = async (values: string[]) => {
      const half = values.length >> 1;
      const named = values.map((value, i) => [`TEST_${i}`, value] as const);
      const { stdout } = await bed.run({
        command: ['cat', '/proc/self/environ'],
        environment: { set: Object.fromEntries(named.slice(half)), unset: [] },
        variables: Object.fromEntries(named.slice(0, half)),
      });
      const got = stdout.split('\0').filter((entry) => entry.startsWith('TEST_'));
      const expected = named.map(([name, value]) => `${name}=${encodeBytes(value).toString('latin1')}`);
      expect(got.sort()).toEqual(expected.sort());
    };
    const all = decodeBytes(Uint8Array.from({ length: 255 }, (_, i) => i + 1));
    await check([all, all, "'", '"', '\n', '\\', '']);
    await fc.assert(fc.asyncProperty(fc.array(argument, { maxLength: 6 }), check), { numRuns: 25 });
  });

  it('passes variables that no shell can set', async () => {
    const odd = {
      'BASH_FUNC_hello%%': '() { echo hi; }',
      'a.b': '1',
      '1x': '2',
      UID: '12',
      OPTIND: 'not a number',
      IFS: 'x',
      RANDOM: 'r',
      SHELLOPTS: 'braceexpand',
      PPID: 'p',
    };
    const { stdout } = await bed.run({
      command: ['cat', '/proc/self/environ'],
      environment: { set: odd, unset: [] },
      variables: { 'c-d': '3' },
    });
    for (const [name, value] of Object.entries({ ...odd, 'c-d': '3' })) {
      expect(stdout.split('\0')).toContain(`${name}=${value}`);
    }
  });

  it('has no variable but those it was given and those of its shell', async () => {
    const { key, stdout } = await bed.run({ command: ['cat', '/proc/self/environ'], variables: { X: '1' } });
    const names = stdout
      .split('\0')
      .map((entry) => entry.split('=')[0])
      .filter((name) => name !== '');
    // What sshd sets describes the account.
    const shellsOwn = new Set([
      'PWD',
      'OLDPWD',
      'SHLVL',
      '_',
      ...(site.ssh ? ['LOGNAME', 'MAIL', 'USER'] : []),
    ]);
    expect(names.filter((name) => !shellsOwn.has(name ?? '')).sort(compareText)).toEqual(
      [
        'HOME',
        'LANG',
        'PATH',
        'SHELL',
        'TERM',
        'VBATCH_AGENT',
        'VBATCH_ATTEMPT_KEY',
        'VBATCH_SHIM_DIR',
        'X',
      ].sort(),
    );
    expect(stdout).toContain(`VBATCH_ATTEMPT_KEY=${key}@`);
    expect(stdout).not.toContain('OLDPWD');
  });

  it('starts with default signals, no descriptor but three, and a process group of its own', async () => {
    const { stdout } = await bed.run(
      bed.script(
        'grep -E "Sig(Ign|Blk)" /proc/self/status; echo /proc/$$/fd/?; read -r a b c parent group x </proc/self/stat; echo $group; echo $parent',
      ),
    );
    const [ignored, blocked, descriptors, group, parent] = stdout.trim().split('\n');
    expect([ignored, blocked].sort(compareText)).toEqual([
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000000',
    ]);
    // The fourth is the shell's own, on the folder that it lists.
    expect(descriptors?.replaceAll(/\/proc\/\d+\/fd\//g, '')).toBe('0 1 2 3');
    expect(group).toBe(parent);
    expect(Number(group)).not.toBe(bed.pidOf('agent'));
  });

  it("runs with the user's umask, and keeps its own files private", async () => {
    const { key, stdout } = await bed.run(bed.script('umask; : >made; stat -c %a made'));
    expect(stdout).toBe(
      `${process.umask().toString(8).padStart(4, '0')}\n${(0o666 & ~process.umask()).toString(8)}\n`,
    );
    expect(statSync(bed.home).mode & 0o777).toBe(0o700);
    expect(statSync(bed.path(key, 'out')).mode & 0o777).toBe(0o600);
  });

  it('R35 runs in its directory, by the name that was given', async () => {
    mkdirSync(join(bed.work, "a dir's\nname"));
    const directory = join(bed.work, "a dir's\nname");
    expect((await bed.run({ command: ['pwd'], directory })).stdout).toBe(`${directory}\n`);
  });

  it('says that its directory does not exist', async () => {
    const { exit } = await bed.run({ command: ['true'], directory: '/does/not/exist' });
    expect(exit).toEqual({
      exitCode: 126,
      signal: null,
      reason: 'the directory /does/not/exist does not exist on local, or cannot be entered',
    });
  });

  it('says that its command is not found, or is none', async () => {
    const found = async (program: string, more: string[] = []) => {
      const { exit, stderr } = await bed.run({ command: [program, ...more] });
      return [exit.exitCode, exit.reason, stderr];
    };
    writeFileSync(join(bed.work, 'plain'), '');
    chmodSync(join(bed.work, 'plain'), 0o644);
    expect(await found('no-such-command', ['x'])).toEqual([
      127,
      'command not found on local: no-such-command',
      'vbatch: no-such-command: command not found\n',
    ]);
    expect(await found('./none')).toEqual([
      127,
      'command not found on local: ./none',
      'vbatch: ./none: command not found\n',
    ]);
    expect(await found('./plain')).toEqual([
      126,
      'not an executable file on local: ./plain',
      'vbatch: ./plain: is not executable\n',
    ]);
    expect((await found('/tmp'))[0]).toBe(126);
    expect((await found(''))[0]).toBe(127);
    // Builtins and the agent's own functions are no commands.
    for (const word of ['exit', 'eval', '_vb_quit', 'if']) expect((await found(word, ['0']))[0]).toBe(127);
    // A command may itself end so: then there is no reason to give.
    expect((await bed.run(bed.script('exit 127'))).exit).toEqual({
      exitCode: 127,
      signal: null,
      reason: null,
    });
  });

  it('runs a script without a first line #!', async () => {
    writeFileSync(join(bed.work, 'bare'), 'echo "ran $1"; exit 4\n', { mode: 0o755 });
    const { exit, stdout } = await bed.run({ command: ['./bare', 'it'] });
    expect([exit.exitCode, stdout]).toEqual([4, 'ran it\n']);
  });

  it('R32 is started at most once, however often it is ordered', async () => {
    const order = { ...bed.script('echo ran >>ran; sleep 0.2'), key: '900.1' };
    for (let i = 0; i < 10; i++) bed.start(order);
    await bed.reports.exit('900.1');
    bed.start(order);
    // Orders are carried out one after the other: when this one has ended, the others have been looked at.
    await bed.run({ command: ['sleep', '0.1'] });
    expect(readFileSync(join(bed.work, 'ran'), 'latin1')).toBe('ran\n');
    expect(bed.reports.count('started', '900.1')).toBe(1);
    expect(bed.reports.count('ended', '900.1')).toBe(1);
  });

  it('R34 puts setup lines, changes and variables on top of each other in this order', async () => {
    const print = 'echo "$A $B $C $D ${E-unset} ${LANG-unset}"';
    const { stdout, stderr } = await bed.run(
      bed.script(print, {
        setup: 'export A=setup B=setup C=setup D=$LANG E=setup; echo noise; echo "$#"',
        environment: { set: { B: 'change', C: 'change' }, unset: ['E', 'LANG'] },
        variables: { C: 'variable' },
      }),
    );
    expect(stdout).toBe('setup change variable C.UTF-8 unset unset\n');
    expect(stderr).toBe('noise\n0\n');
  });

  it('gives setup lines exported functions, and the command what they export', async () => {
    const { exit, stdout } = await bed.run(
      bed.script('echo "$MODULE $VALUE"', {
        setup: 'declare -x VALUE=2\nexport MODULE=$(echo one)\ncd /',
        environment: { set: { 'odd.name': 'x' }, unset: ['other.name'] },
      }),
    );
    expect(exit.exitCode).toBe(0);
    expect(stdout).toBe('one 2\n');
  });

  it('passes arguments through setup lines as they are', async () => {
    const args = ["it's", '', '\n', 'x'.repeat(100_000), decodeBytes(Uint8Array.of(0xff, 0x81, 1))];
    const { stdout } = await bed.run({
      command: ['sh', '-c', 'printf "%s\\0" "$@"', 'sh', ...args],
      setup: 'export X=1',
      variables: { Y: "it's" },
    });
    expect(Buffer.from(stdout, 'latin1')).toEqual(encodeBytes(args.map((arg) => `${arg}\0`).join('')));
  });

  it('ends with a reason where setup lines fail, whichever way', async () => {
    for (const [setup, code] of [
      ['false', 1],
      ['exit 5', 5],
      ['set -e\nfalse\ntrue', 1],
      ['if', 2],
      ['no-such-command', 127],
    ] as const) {
      const { exit, stdout } = await bed.run(bed.script('echo ran', { setup }));
      expect(exit.reason, setup).toBe(
        `the setup lines of local or its pool failed with exit code ${code}; stderr may say why`,
      );
      expect(stdout).toBe('');
    }
    const { exit } = await bed.run({ command: ['no-such-command'], setup: 'true' });
    expect(exit.reason).toBe('command not found on local: no-such-command');
  });

  it('records its end even where the command signals the whole group', async () => {
    for (const signal of ['TERM', 'INT', 'HUP', 'QUIT', 'USR1']) {
      const { exit } = await bed.run(bed.script(`kill -${signal} 0; sleep 5`));
      expect(exit.signal).toBe(signal);
    }
  });

  it('forgets an attempt wholly', async () => {
    const { key } = await bed.run(bed.script('echo x; echo y >&2', { setup: 'true' }));
    expect(existsSync(bed.path(key, 'out'))).toBe(true);
    await bed.host.forget([key, '999.9']);
    for (const suffix of ['run', 'out', 'err', 'exit', 'order', 'setup']) {
      await until(() => !existsSync(bed.path(key, suffix)));
    }
    expect(await bed.host.logs.size(key, 'stdout')).toBe(0);
    expect(await bed.host.logs.read(key, 'stdout', 0, 10)).toEqual(Buffer.alloc(0));
  });

  it('runs a hundred at once', async () => {
    const keys = Array.from({ length: 100 }, () =>
      bed.start(bed.script('echo $VBATCH_ATTEMPT_KEY; sleep 0.1')),
    );
    await Promise.all(keys.map((key) => bed.reports.exit(key)));
    for (const key of keys) expect(bed.text(key, 'out')).toMatch(new RegExp(`^${key.replace('.', '\\.')}@`));
  });
});
