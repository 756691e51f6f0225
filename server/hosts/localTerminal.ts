/** Terminals on this machine, made by util-linux' script(1): Node itself cannot make one. */
import { execFile, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { TerminalSize } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import { quote } from './agent/orders.ts';
import type { TerminalChannel } from './machine.ts';

const run = promisify(execFile);

/**
 * Becomes script(1) after leaving somebody behind who ends it when our end of descriptor 3 closes without a
 * word, which also happens when we are killed; its terminal is hung up then. That somebody is nobody's child:
 * script does not notice the end of its own child where it has another.
 */
const becomeScript = `( { read -r _ <&3 || kill -KILL $$; } </dev/null >/dev/null 2>&1 4>&- & )
exec "$1" -qefc "$2" /dev/null 3<&-`;

/**
 * Opens a terminal that runs `words`. `path` is the PATH of what runs, and where its programs are found.
 * Throws `refused` where this machine cannot make one.
 */
export async function openLocalTerminal(
  words: readonly string[],
  { rows, columns }: TerminalSize,
  path: string,
): Promise<TerminalChannel> {
  const env = { PATH: path, SHELL: '/bin/sh' };
  await requireScript(env);
  // Its name goes to descriptor 4; script makes it without an echo, as its own stdin is none.
  const inside = [
    'tty >&4',
    'exec 4>&-',
    `stty sane rows ${rows} columns ${columns}`,
    `exec env -i ${quote(`PATH=${path}`)} ${words.map(quote).join(' ')}`,
  ];
  const child = spawn('/bin/sh', ['-c', becomeScript, 'sh', 'script', inside.join('; ')], {
    cwd: '/',
    detached: true,
    env,
    stdio: ['pipe', 'pipe', 'ignore', 'pipe', 'pipe'],
  });
  const [stdin, output, , lifeline, named] = child.stdio as unknown as [
    Writable,
    Readable,
    null,
    Writable,
    Readable,
  ];
  for (const stream of [stdin, output, lifeline, named]) stream.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(new VbatchError('refused', `a terminal cannot be opened: ${error.message}`)),
    );
  });
  child.once('exit', () => lifeline.end('\n'));
  const closed = new Promise<{ exitCode: number | null; lost: string | null }>((resolve) => {
    child.once('close', (code, signal) =>
      resolve({ exitCode: code, lost: signal === null ? null : 'it was hung up' }),
    );
  });
  const resize = resizer(named, env);
  return {
    input: (bytes) =>
      new Promise((resolve) => {
        if (!stdin.writable) resolve();
        else stdin.write(bytes, () => resolve());
      }),
    output,
    resize,
    closed,
    close: () => child.kill('SIGKILL'),
  };
}

async function requireScript(env: NodeJS.ProcessEnv): Promise<void> {
  const version = await run('script', ['--version'], { env }).then(
    ({ stdout }) => stdout,
    () => '',
  );
  if (version.includes('util-linux')) return;
  throw new VbatchError(
    'refused',
    'this machine has no `script` of util-linux, by which terminals are made; install util-linux',
  );
}

/** Sets the size of the terminal whose name arrives on `named`. */
function resizer(named: Readable, env: NodeJS.ProcessEnv): (size: TerminalSize) => void {
  // It is one short line; script itself holds the pipe as long as it lives.
  const name = new Promise<string>((resolve) => {
    named.once('data', (line: Buffer) => resolve(line.toString().trim()));
  });
  let wanted: TerminalSize | null = null;
  let setting: Promise<void> | null = null;
  const set = async () => {
    const file = await name;
    while (wanted) {
      const { rows, columns } = wanted;
      wanted = null;
      // What has ended meanwhile has no size any more.
      await run('stty', ['-F', file, 'rows', String(rows), 'columns', String(columns)], { env }).catch(
        () => {},
      );
    }
    setting = null;
  };
  return (size) => {
    wanted = size;
    setting ??= set();
  };
}
