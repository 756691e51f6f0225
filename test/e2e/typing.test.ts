/** R36: what a person types at a terminal while vrun waits, with a real terminal and a shell in it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const endOfFile = '\x04';
const interrupt = '\x03';
const suspend = '\x1a';

/** Runs its arguments in a terminal of their own, whose other side is its stdin and stdout. */
const inTerminal = 'import pty, sys; pty.spawn(sys.argv[1:])';

function hasTerminals(): boolean {
  try {
    execFileSync('python3', ['-c', inTerminal, 'true'], { stdio: ['ignore', 'pipe', 'pipe'] });
    return true;
  } catch {
    console.error('SKIPPED: python3 opens no terminal here, so nothing is typed at one.');
    return false;
  }
}

/** An interactive shell in a terminal. */
class Terminal {
  private screen = '';
  private seen = 0;
  private readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(sandbox: Sandbox) {
    this.process = spawn('python3', ['-c', inTerminal, 'bash', '--norc', '--noprofile', '-i'], {
      cwd: sandbox.work,
      env: { ...sandbox.env, PS1: 'ready> ', TERM: 'dumb' },
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.screen += text));
    this.ended = once(this.process, 'close');
  }

  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  /** Waits until this text is shown, after all that has been waited for before. */
  async shows(text: string): Promise<void> {
    await expect.poll(() => this.screen.slice(this.seen), { timeout: 20_000 }).toContain(text);
    this.seen = this.screen.indexOf(text, this.seen) + text.length;
  }

  /** Types a command line, once the shell is ready for it. */
  async run(line: string): Promise<void> {
    await this.shows('ready> ');
    this.type(`${line}\n`);
    await this.shows('\n');
  }

  /** As somebody who closes the window. */
  async close(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

describe.skipIf(!hasTerminals())('R36 at a terminal', () => {
  let sandbox: Sandbox;
  let terminal: Terminal;
  beforeAll(async () => {
    sandbox = new Sandbox('defaults: { grace: 1s }');
    await sandbox.run('vctl', ['server', 'start']);
  });
  afterAll(() => sandbox.remove());
  afterEach(() => terminal.close());

  const open = () => (terminal = new Terminal(sandbox));
  const fileIs = (name: string, text: string) =>
    expect
      .poll(() => existsSync(join(sandbox.work, name)) && sandbox.read(name), { timeout: 20_000 })
      .toBe(text);
  /** The tasks of this name, the newest first. */
  const statusOf = async (name: string) => {
    const { stdout } = await sandbox.run('vctl', ['search', name, '-o', 'json']);
    return (JSON.parse(stdout) as { status: string }[])[0]?.status;
  };

  it('vrun cat shows each line as it is typed, and ends with Ctrl-D', async () => {
    open();
    await terminal.run('vrun cat; echo "code $?"');
    terminal.type('hello\n');
    await terminal.shows('hello\r\nhello\r\n');
    terminal.type('half');
    terminal.type(endOfFile);
    await terminal.shows('halfhalf');
    terminal.type(endOfFile);
    await terminal.shows('code 0');
  });

  it('a command can ask for a line', async () => {
    open();
    await terminal.run(`vrun sh -c 'echo "who?"; read -r x; echo "got <$x>"'`);
    await terminal.shows('who?');
    terminal.type('ada  lovelace\n');
    await terminal.shows('got <ada  lovelace>');
    await terminal.shows('ready> ');
  });

  it('what is typed before the task runs is for it', async () => {
    open();
    await terminal.run(`vrun --name early --hold sh -c 'read -r x; echo "got <$x>"'`);
    await terminal.shows('PENDING');
    terminal.type('already\n');
    await terminal.shows('already');
    await sandbox.run('vctl', ['release', 'early']);
    await terminal.shows('got <already>');
  });

  it('Ctrl-C and d leave the command behind with an end of its stdin', async () => {
    open();
    await terminal.run(`vrun --name left sh -c 'cat >left; echo over >>left'; echo "code $?"`);
    terminal.type('kept\n');
    await fileIs('left', 'kept\n');
    terminal.type(interrupt);
    await terminal.shows('[d]etach');
    terminal.type('d');
    await terminal.shows('goes on');
    await terminal.shows('code 130');
    await fileIs('left', 'kept\nover\n');
    await expect.poll(() => statusOf('left'), { timeout: 20_000 }).toBe('SUCCESS');
  });

  it('so it is for a task that had not started when it was left', async () => {
    open();
    await terminal.run(`vrun --name queued --hold cat; echo "code $?"`);
    await terminal.shows('PENDING');
    terminal.type(interrupt);
    await terminal.shows('[d]etach');
    terminal.type('d');
    await terminal.shows('code 130');
    await sandbox.run('vctl', ['release', 'queued']);
    await expect.poll(() => statusOf('queued'), { timeout: 20_000 }).toBe('SUCCESS');
  });

  it('so it is when the terminal is closed', async () => {
    open();
    await terminal.run(`vrun sh -c 'cat >closed; echo over >>closed'`);
    terminal.type('kept\n');
    await fileIs('closed', 'kept\n');
    await terminal.close();
    await fileIs('closed', 'kept\nover\n');
  });

  it('after a question that waits on, what is typed is for the command again', async () => {
    open();
    await terminal.run('vrun cat');
    terminal.type('one\n');
    await terminal.shows('one\r\none\r\n');
    terminal.type(interrupt);
    await terminal.shows('waits on');
    terminal.type('x');
    await terminal.shows('\n');
    terminal.type('two\n');
    await terminal.shows('two\r\ntwo\r\n');
    terminal.type(endOfFile);
    await terminal.shows('ready> ');
  });

  it('Ctrl-C asks after Ctrl-D as it did before', async () => {
    open();
    await terminal.run(`vrun sh -c 'cat; echo read; sleep 60'; echo "code $?"`);
    terminal.type(endOfFile);
    await terminal.shows('read');
    terminal.type(interrupt);
    await terminal.shows('[d]etach');
    terminal.type('c');
    await terminal.shows('code 143');
  });

  it('each attempt reads what is typed while it runs', async () => {
    open();
    const script = 'read -r x; echo "attempt $VBATCH_ATTEMPT got <$x>"; exit 1';
    await terminal.run(`vrun --retries 2 sh -c '${script}'; echo "code $?"`);
    terminal.type('one\n');
    await terminal.shows('attempt 1 got <one>');
    terminal.type('two\n');
    await terminal.shows('attempt 2 got <two>');
    terminal.type(endOfFile);
    await terminal.shows('attempt 3 got <>');
    await terminal.shows('code 1');
  });

  it('R31 a server that is killed loses nothing of it', async () => {
    open();
    await terminal.run('vrun cat; echo "code $?"');
    for (const word of ['one', 'two', 'three']) {
      terminal.type(`${word}\n`);
      await terminal.shows(`${word}\r\n${word}\r\n`);
      sandbox.killServer();
    }
    terminal.type(endOfFile);
    await terminal.shows('code 0');
  });

  it('a vrun in the background leaves the terminal alone and is not stopped', async () => {
    open();
    await terminal.run(`vrun sh -c 'cat; echo "end of input"' &`);
    await terminal.shows('ready> ');
    await terminal.shows('end of input');
    terminal.type('echo shell $((1 + 1))\n');
    await terminal.shows('shell 2');
    terminal.type('wait; jobs; echo listed $((1 + 2))\n');
    await terminal.shows('Done');
    await terminal.shows('listed 3');
  });

  it('a vrun that is put into the background leaves it to the shell until it is back', async () => {
    open();
    await terminal.run('vrun cat; echo "code $?"');
    terminal.type('one\n');
    await terminal.shows('one\r\none\r\n');
    terminal.type(suspend);
    await terminal.shows('Stopped');
    await terminal.run('bg');
    for (let i = 0; i < 3; i++) {
      await terminal.run(`echo shell $((${i} + 5))`);
      await terminal.shows(`shell ${i + 5}`);
    }
    await terminal.run('jobs');
    await terminal.shows('Running');
    await terminal.run('fg');
    terminal.type('two\n');
    await terminal.shows('two\r\ntwo\r\n');
    terminal.type(endOfFile);
    await terminal.shows('ready> ');
  });

  it('a loop over the lines of a file keeps its lines, and so does a pipe', async () => {
    sandbox.write('lines', '1\n2\n3\n');
    open();
    await terminal.run('while read -r x; do vrun wc -c; echo "line $x"; done <lines');
    for (const x of [1, 2, 3]) await terminal.shows(`0\r\nline ${x}`);
    await terminal.run('seq 3 | vrun wc -c');
    await terminal.shows('0\r\n');
  });

  it('shards have nothing to read, because nobody could say which', async () => {
    open();
    await terminal.run('vrun -N 2 wc -c; echo "code $?"');
    await terminal.shows('code 0');
  });

  it('inside a task there is nothing to be read', async () => {
    open();
    await terminal.run(`vrun sh -c 'seq 3 | vrun wc -c; seq 3 | vbatch -q -f wc -c'`);
    await terminal.shows('0\r\n0\r\n');
  });
});
