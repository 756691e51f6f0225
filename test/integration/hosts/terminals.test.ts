import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Seat, StartOrder, TerminalEnd, Viewer } from '../../../server/hosts/host.ts';
import { Bed, presentSites, processesWith, until } from './bed.ts';

const terminal = { term: 'xterm-256color', rows: 30, columns: 100 };
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Somebody at a terminal, who remembers what was shown. */
class Person implements Viewer {
  shown = '';
  readonly ended: Promise<TerminalEnd>;
  seat: Seat | null = null;
  private end: (end: TerminalEnd) => void = () => {};
  private looking: () => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async show(bytes: Buffer): Promise<void> {
    this.shown += bytes.toString('latin1');
    this.looking();
  }

  over(end: TerminalEnd): void {
    this.end(end);
  }

  type(text: string | Buffer): Promise<void> {
    if (!this.seat) throw new Error('nobody sits there');
    return this.seat.input(Buffer.from(text as string));
  }

  /** Resolves when this has been shown; what came up to there does not count for the next time. */
  sees(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(this.shown)}`));
      const timer = setTimeout(late, 10_000);
      this.looking = () => {
        const at = this.shown.indexOf(text);
        if (at < 0) return;
        this.shown = this.shown.slice(at + text.length);
        this.looking = () => {};
        clearTimeout(timer);
        resolve();
      };
      this.looking();
    });
  }
}

describe.each(presentSites)('R36 a terminal under %s', (_, site) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open({ ...site, sweepInterval: 200 });
  });
  afterAll(() => bed.dispose());

  async function start(command: string[], more: Partial<StartOrder> = {}) {
    const key = bed.start({ command, stdin: terminal, variables: { TERM: terminal.term }, ...more });
    await bed.reports.about('started', key);
    return { key, person: attend(key) };
  }

  function attend(key: string): Person {
    const person = new Person();
    person.seat = bed.host.attend(key, person);
    expect(person.seat).not.toBeNull();
    return person;
  }

  async function log(key: string): Promise<string> {
    await bed.whole(key);
    expect(await bed.host.logs.read(key, 'stderr', 0, 1e6)).toHaveLength(0);
    return (await bed.host.logs.read(key, 'stdout', 0, 1e6)).toString('latin1');
  }

  const sh = (text: string) => ['sh', '-c', text];

  it('is one: for stdin, stdout and stderr, with its kind and its size', async () => {
    const { key, person } = await start(
      sh('test -t 0 && test -t 1 && test -t 2 && tty && stty size && echo "$TERM" && echo err >&2'),
    );
    expect(await person.ended).toEqual({ exitCode: 0, lost: null });
    expect((await bed.reports.exit(key)).exitCode).toBe(0);
    expect(await log(key)).toMatch(/^\/dev\/pts\/\d+\r\n30 100\r\nxterm-256color\r\nerr\r\n$/);
    expect(person.shown).toBe(await log(key));
  });

  it('reports the exit code, and the signal', async () => {
    const { key } = await start(sh('exit 7'));
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 7, signal: null, reason: null });
    const { key: killed } = await start(sh('kill -KILL $$'));
    expect(await bed.reports.exit(killed)).toEqual({ exitCode: 137, signal: 'KILL', reason: null });
  });

  it('runs setup lines, and shows what they print', async () => {
    const { key } = await start(sh('echo "$A"'), { setup: 'export A=made\necho setting up' });
    await bed.reports.exit(key);
    expect(await log(key)).toBe('setting up\r\nmade\r\n');
  });

  it('R35 tells what cannot be started', async () => {
    const { key } = await start(['/nowhere/program']);
    expect(await bed.reports.exit(key)).toMatchObject({
      exitCode: 127,
      reason: expect.stringContaining('not found'),
    });
    expect(await log(key)).toBe('vbatch: /nowhere/program: command not found\r\n');
    const gone = await start(['true'], { directory: '/nowhere' });
    expect(await bed.reports.exit(gone.key)).toMatchObject({ exitCode: 126 });
  });

  it('passes every byte both ways where the command has made it raw', async () => {
    const { key, person } = await start(sh('stty raw -echo; echo ready; exec head -c 512'));
    await person.sees('ready\n');
    await person.type(everyByte);
    await person.type(everyByte);
    await person.ended;
    expect(person.shown).toBe(everyByte.toString('latin1').repeat(2));
    await bed.reports.exit(key);
    expect(await log(key)).toBe(`ready\n${person.shown}`);
  });

  it('passes on much in both directions at once', async () => {
    const { person } = await start(sh('stty raw -echo; echo ready; exec head -c 1000000'));
    await person.sees('ready\n');
    const many = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    for (let at = 0; at < many.length; at += 50_000) await person.type(many.subarray(at, at + 50_000));
    await person.ended;
    expect(person.shown === many.toString('latin1')).toBe(true);
  });

  it('echoes, edits lines, and has an end of file', async () => {
    const { key, person } = await start(sh('cat; echo over'));
    await person.type('abx\x7fc\r');
    await person.sees('abc\r\n');
    await person.type('\x04');
    await person.ended;
    await bed.reports.exit(key);
    expect(await log(key)).toContain('abc\r\nover\r\n');
  });

  it('follows a change of its size', async () => {
    const { person } = await start(sh('trap "stty size" WINCH; echo ready; while :; do sleep 0.02; done'));
    await person.sees('ready');
    person.seat?.resize({ rows: 41, columns: 123 });
    await person.sees('41 123\r\n');
    for (let rows = 1; rows <= 20; rows++) person.seat?.resize({ rows, columns: 55 });
    await person.sees('20 55\r\n');
    await person.type('\x03');
    expect(await person.ended).toMatchObject({ lost: null });
  });

  it('gives Ctrl-C to what is in its foreground, and to nothing else', async () => {
    const { key, person } = await start(['bash', '--norc']);
    await person.type("PS1='$ '\r");
    await person.type('sleep 3001\r');
    await until(() => processesWith('sleep\x003001').length > 0);
    await person.type('\x03');
    await person.sees('^C');
    await person.sees('$ ');
    await person.type('echo "code $?"\r');
    await person.sees('code 130\r\n');
    await person.type('sleep 3002\r');
    await until(() => processesWith('sleep\x003002').length > 0);
    await person.type('\x1a');
    await person.sees('Stopped');
    await person.sees('$ ');
    await person.type('fg\r');
    await person.sees('sleep 3002\r\n');
    await person.type('\x03');
    await person.sees('$ ');
    await person.type('exit 3\r');
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 3, signal: null, reason: null });
  });

  it('Ctrl-C ends a command that is no shell', async () => {
    const { key, person } = await start(['sleep', '3003']);
    await until(() => processesWith('sleep\x003003').length > 0);
    await person.type('\x1a\x03');
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 130, signal: 'INT', reason: null });
  });

  it('shows those who come later what was shown last, and all of them what follows', async () => {
    const { key, person } = await start(
      sh('stty -echo; echo before; read -r a; seq 20000; read -r b; echo "$a $b"'),
    );
    await person.sees('before\r\n');
    const second = attend(key);
    await second.sees('before\r\n');
    await second.type('one\r');
    await person.sees('20000\r\n');
    const third = attend(key);
    expect(third.shown.startsWith('1\r\n')).toBe(false);
    expect(third.shown.length).toBeGreaterThan(60_000);
    expect(third.shown).toMatch(/^\d+\r\n/);
    second.seat?.leave();
    const seen = second.shown;
    await third.type('two\r');
    await Promise.all([person.ended, third.ended]);
    expect(third.shown.endsWith('one two\r\n')).toBe(true);
    expect(second.shown).toBe(seen);
    await bed.reports.exit(key);
    expect(bed.host.attend(key, new Person())).toBeNull();
  });

  it('keeps what is shown when nobody attends', async () => {
    const key = bed.start({ command: sh('seq 30000'), stdin: terminal });
    await bed.reports.exit(key);
    expect(await log(key)).toBe(Array.from({ length: 30_000 }, (_, i) => `${i + 1}\r\n`).join(''));
  });

  it('waits for those who look, and loses nothing by it', async () => {
    // A channel of SSH holds some 2 MB on its way.
    const [count, most] = site.ssh ? [1_000_000, 6_000_000] : [60_000, 300_000];
    const { key, person } = await start(sh(`stty -echo; echo ready; read -r _; seq ${count}`));
    await person.sees('ready\r\n');
    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    const slow = new Person();
    const show = slow.show.bind(slow);
    slow.show = async (bytes) => {
      await show(bytes);
      await held;
    };
    slow.seat = bed.host.attend(key, slow);
    await person.type('\r');
    await person.sees('1\r\n');
    await bed.run({ command: ['sleep', '0.3'] });
    expect(await bed.host.logs.size(key, 'stdout')).toBeLessThan(most);
    free();
    await slow.ended;
    expect(person.shown.endsWith(`\n${count}\r\n`)).toBe(true);
  });

  it('R26 leaves nothing behind of a shell with jobs, whatever they do about signals', async () => {
    const { key, person } = await start(['bash', '--norc']);
    await person.type("PS1='$ '\r");
    await person.type("(trap '' HUP TERM INT; sleep 311; sleep 311) &\r");
    await person.type('nohup setsid sleep 312 >/dev/null 2>&1 &\r');
    await person.type('sleep 313 | cat\r');
    await until(() => processesWith('sleep\x0031').length === 3);
    bed.host.stop(key, 1);
    await bed.reports.exit(key);
    expect(processesWith('sleep\x0031')).toEqual([]);
    expect(await person.ended).toBeDefined();
  });

  it('R26 ends an idle shell at once, and a command by SIGTERM', async () => {
    const idle = await start(['bash', '--norc']);
    await idle.person.type('echo re""ady\r');
    await idle.person.sees('ready\r\n');
    const begun = performance.now();
    bed.host.stop(idle.key, 30);
    await bed.reports.exit(idle.key);
    expect(performance.now() - begun).toBeLessThan(15_000);
    const { key } = await start(['sleep', '300']);
    bed.host.stop(key, 30);
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 143, signal: 'TERM', reason: null });
  });

  it('R31 is hung up with the server, and its task ends with that', async () => {
    const mark = `marked-${process.pid}-${Math.random()}`;
    const { key, person } = await start(['sh', '-c', 'echo ready; sleep 300; :', mark]);
    await person.sees('ready');
    await bed.replaceHost();
    bed.host.check(key);
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 129, signal: 'HUP', reason: null });
    expect(bed.host.attend(key, new Person())).toBeNull();
    expect(processesWith(mark)).toEqual([]);
  });

  it('leaves alone what goes on without it', async () => {
    const deaf = 'trap "" HUP; echo ready; until [ -e told ]; do sleep 0.02; done';
    const { key, person } = await start(sh(deaf));
    await person.sees('ready');
    await bed.replaceHost();
    bed.host.check(key);
    await bed.reports.about('started', key);
    writeFileSync(join(bed.work, 'told'), '');
    expect((await bed.reports.exit(key)).exitCode).toBe(0);
  });

  it.skipIf(!site.ssh)(
    'is hung up by the next connection where its host has not noticed that it is lost',
    async () => {
      const mark = `unnoticed-${process.pid}-${Math.random()}`;
      const { key, person } = await start(['bash', '--norc', '-c', 'echo ready; sleep 300; :', mark]);
      await person.sees('ready');
      bed.cut('SIGSTOP');
      await bed.replaceHost();
      expect(processesWith(mark).length).toBeGreaterThan(0);
      bed.host.check(key);
      expect(await bed.reports.exit(key)).toEqual({ exitCode: 129, signal: 'HUP', reason: null });
      expect(processesWith(mark)).toEqual([]);
    },
  );

  it.skipIf(!site.ssh)('is refused where a connection has no room for another', async () => {
    const keys = Array.from({ length: 7 }, () => bed.start({ command: ['cat'], stdin: terminal }));
    const refused = await bed.reports.until((report) =>
      report.type === 'ended' && keys.includes(report.key) ? report : undefined,
    );
    expect(refused.exit).toMatchObject({
      exitCode: 125,
      reason: expect.stringMatching(
        /^it was not started, because no terminal can be opened on local: 6 terminals/,
      ),
    });
    // Everything else goes on.
    expect((await bed.run({ command: ['true'] })).exit.exitCode).toBe(0);
    for (const key of keys) bed.host.stop(key, 5);
    for (const key of keys) await bed.reports.exit(key);
    const { key } = await start(['true']);
    expect((await bed.reports.exit(key)).exitCode).toBe(0);
  });

  it('R32 starts once when it is asked for, and ordered again, before it has come to its start', async () => {
    for (let round = 0; round < 5; round++) {
      const key = bed.nextKey();
      const order = { key, command: sh('echo ran >>starts; read -r x; exit 3'), stdin: terminal };
      bed.start(order);
      bed.host.check(key);
      bed.start(order);
      await bed.reports.about('started', key);
      bed.start(order);
      await attend(key).type('x\r');
      expect((await bed.reports.exit(key)).exitCode).toBe(3);
      expect(readFileSync(join(bed.work, 'starts'), 'utf8')).toBe('ran\n'.repeat(round + 1));
    }
  });

  it('R32 never starts what has not come to its start', async () => {
    const script = join(bed.shims, '../attempt.sh');
    const key = bed.nextKey();
    renameSync(script, `${script}.away`);
    bed.start({ key, command: sh(': >ran'), stdin: terminal });
    expect(await bed.reports.exit(key)).toMatchObject({ exitCode: 125, reason: 'stopped before it started' });
    renameSync(`${script}.away`, script);
    bed.start({ key, command: sh(': >ran'), stdin: terminal });
    await bed.run({ command: ['sleep', '0.2'] });
    await until(() => processesWith(`/${key}.start`).length === 0);
    expect(existsSync(join(bed.work, 'ran'))).toBe(false);
  });

  it('R30 goes on while only the agent is gone, and ends with a connection', async () => {
    // What reads sees the end of its terminal before it gets the signal, or after.
    const { key, person } = await start(sh(site.ssh ? 'echo ready; sleep 300; :' : 'echo ready; cat'));
    await person.sees('ready\r\n');
    const before = bed.reports.all.length;
    if (site.ssh) bed.cut();
    else process.kill(bed.pidOf('agent'), 'SIGKILL');
    await bed.reports.until((report) => report.type === 'online' || undefined, before);
    bed.host.check(key);
    if (site.ssh) {
      expect(await person.ended).toEqual({ exitCode: null, lost: expect.stringContaining('connection') });
      expect(await bed.reports.exit(key)).toEqual({ exitCode: 129, signal: 'HUP', reason: null });
    } else {
      await bed.reports.about('started', key, before);
      await person.type('still\r');
      await person.sees('still\r\nstill\r\n');
      await person.type('\x04');
      expect((await bed.reports.exit(key)).exitCode).toBe(0);
    }
  });

  describe('beside an attempt', () => {
    const besides = { ...terminal, rows: 24, columns: 80 };

    async function beside(key: string, command: string[] | null, directory = bed.work): Promise<Person> {
      const person = new Person();
      person.seat = await bed.host.openBeside({ key, directory, command, terminal: besides }, person);
      return person;
    }

    it('has its environment and directory, and a size of its own', async () => {
      const odd = 'a \'"\\\n\tü \x01';
      const key = bed.start({
        command: ['sleep', '300'],
        variables: { ODD: odd, CUDA_VISIBLE_DEVICES: '2' },
      });
      await bed.reports.about('started', key);
      await until(
        () => existsSync(bed.path(key, 'run')) && readFileSync(bed.path(key, 'run')).includes('\0'),
      );
      const look =
        'stty raw; printf "%s|" "$ODD" "$CUDA_VISIBLE_DEVICES" "$TERM" "${VBATCH_ATTEMPT_KEY%@*}"; pwd; stty size; exit 4';
      const person = await beside(key, sh(look));
      expect(await person.ended).toEqual({ exitCode: 4, lost: null });
      const text = Buffer.from(person.shown, 'latin1').toString();
      expect(text).toBe(`${odd}|2|xterm-256color|${key}|${bed.work}\n24 80\n`);
      bed.host.stop(key, 5);
    });

    it('is the person’s shell where no command is given', async () => {
      const key = bed.start({ command: ['sleep', '300'], variables: { SHELL: '/bin/sh' } });
      await bed.reports.about('started', key);
      const person = await beside(key, null);
      await person.type('echo "in $0"; exit 2\r');
      await person.sees('in /bin/sh\r\n');
      expect(await person.ended).toEqual({ exitCode: 2, lost: null });
      bed.host.stop(key, 5);
    });

    it('ends with the attempt, and with who looks at it, and keeps no stop from its end', async () => {
      const key = bed.start(bed.script('until [ -e enough ]; do sleep 0.02; done'));
      await bed.reports.about('started', key);
      const mark = `beside-${process.pid}-${Math.random()}`;
      const wait = ['sh', '-c', 'echo ready; sleep 300; :', mark];
      const leaves = await beside(key, wait);
      await leaves.sees('ready');
      leaves.seat?.leave();
      await leaves.ended;
      await until(() => processesWith(mark).length === 0);
      const stays = await beside(key, ['bash', '--norc']);
      await stays.type(`${wait.map((word) => `'${word}'`).join(' ')}\r`);
      await until(() => processesWith(`:\0${mark}`).length > 0);
      writeFileSync(join(bed.work, 'enough'), '');
      await bed.reports.exit(key);
      await stays.ended;
      await until(() => processesWith(mark).length === 0);
      const stopped = bed.start({ command: ['sleep', '300'] });
      await bed.reports.about('started', stopped);
      const shell = await beside(stopped, ['bash', '--norc']);
      const begun = performance.now();
      bed.host.stop(stopped, 30);
      await bed.reports.exit(stopped);
      expect(performance.now() - begun).toBeLessThan(15_000);
      await shell.ended;
      expect(readdir(stopped)).toEqual([]);
    });

    it('says why it cannot be opened', async () => {
      await expect(beside('999.1', null)).rejects.toThrow('still being set up');
    });

    /** Scripts of shells beside an attempt. */
    function readdir(key: string): string[] {
      return processesWith(`${key}.beside`).map(String);
    }
  });
});

it('says what is missing where terminals cannot be made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vbatch-path-'));
  writeFileSync(join(folder, 'script'), '#!/bin/sh\necho "script: illegal option" >&2; exit 1\n', {
    mode: 0o755,
  });
  const bed = await Bed.open({ env: { PATH: `${folder}:${process.env.PATH}`, SHELL: '/bin/sh' } });
  const key = bed.start({ command: ['bash'], stdin: terminal });
  expect(await bed.reports.exit(key)).toMatchObject({
    exitCode: 125,
    reason: expect.stringContaining('this machine has no `script` of util-linux'),
  });
  await bed.dispose();
  rmSync(folder, { recursive: true });
});
