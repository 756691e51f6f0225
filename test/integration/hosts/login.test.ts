import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scripts } from '../../../server/hosts/agent/scripts.ts';
import { captureLogin } from '../../../server/hosts/login.ts';
import { processesWith } from './bed.ts';

describe('the login environment (R34)', () => {
  let home: string;
  let printer: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "vbatch login's-"));
    printer = join(home, 'login.sh');
    writeFileSync(printer, scripts['login.sh'] ?? '', { mode: 0o700 });
  });
  afterAll(() => rmSync(home, { recursive: true }));

  /** Captures with a shell that reads these lines at the start, in place of the user's. */
  async function capture(lines: string, options: { shell?: string; patience?: number } = {}) {
    const messages: string[] = [];
    writeFileSync(join(home, '.bash_profile'), lines);
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      SHELL: options.shell ?? '/bin/bash',
      SERVER: 'value',
      VBATCH_TASK_ID: 'x',
      VELDA_JOB: 'y',
    };
    const login = await captureLogin(env, printer, (message) => messages.push(message), options.patience);
    return { environment: login.environment, umask: login.umask, messages };
  }

  it('is what the start-up files make, without what belongs to one shell or task', async () => {
    const { environment, umask, messages } = await capture(
      'export MADE="two\nlines" ODD=$\'\\xff\\x01\'; hello() { echo hi; }; export -f hello; umask 027',
    );
    expect(messages).toEqual([]);
    expect(environment.get('MADE')).toBe('two\nlines');
    expect(environment.get('ODD')).toBe('\udcff\x01');
    expect(environment.get('SERVER')).toBe('value');
    expect(environment.get('BASH_FUNC_hello%%')).toBe('() {  echo hi\n}');
    for (const name of ['VBATCH_TASK_ID', 'VELDA_JOB', 'PWD', 'OLDPWD', 'SHLVL', '_']) {
      expect(environment.has(name), name).toBe(false);
    }
    expect(umask).toBe('0027');
  });

  it('comes through start-up files that print, fail, read and leave things running', async () => {
    const { environment, messages } = await capture(
      'echo noise; printf "%s" "no newline"; echo error >&2; false; read -r x; export MADE=1; sleep 77.7 &',
    );
    expect(messages).toEqual([]);
    expect(environment.get('MADE')).toBe('1');
    for (const pid of processesWith('sleep\x0077.7')) process.kill(pid);
  });

  it('is set up as for a person: interactive, without a terminal', async () => {
    const { environment } = await capture(
      'case $- in *i*) ;; *) return ;; esac; export MADE=$TERM; [ -t 0 ] && export TTY=1; (: </dev/tty) 2>/dev/null && export TTY=2',
    );
    expect(environment.get('MADE')).toBe('dumb');
    expect(environment.has('TTY')).toBe(false);
  });

  it("is the server's own, and that is said, where the shell ends early", async () => {
    const { environment, messages } = await capture('exit 3');
    expect(environment.get('SERVER')).toBe('value');
    expect(environment.has('VBATCH_TASK_ID')).toBe(false);
    expect(messages).toEqual([
      'The login shell /bin/bash ended before it had answered; tasks get the environment that the server was started with.',
    ]);
  });

  it("is the server's own where the shell hangs, and nothing of it is left", async () => {
    const { environment, messages } = await capture('sleep 88.8; echo', { patience: 200 });
    expect(environment.get('SERVER')).toBe('value');
    expect(messages[0]).toContain('did not answer within 0.2 s');
    // Being killed takes a moment.
    while (processesWith('sleep\x0088.8').length > 0) await sleep(5);
  });

  it("is the server's own where there is no such shell", async () => {
    const { environment, umask, messages } = await capture('', { shell: '/no/shell' });
    expect(environment.get('SERVER')).toBe('value');
    expect(umask).toMatch(/^0[0-7]{3}$/);
    expect(messages[0]).toContain('The login shell /no/shell could not be started');
  });

  it('is read by way of export -p where the kernel does not show it', async () => {
    const withoutProc = (scripts['login.sh'] ?? '').replaceAll('/proc/', '/no-proc/');
    writeFileSync(printer, withoutProc, { mode: 0o700 });
    const { environment, umask } = await capture('export MADE="it\'s"; umask 022');
    expect([environment.get('MADE'), umask]).toEqual(["it's", '0022']);
  });
});
