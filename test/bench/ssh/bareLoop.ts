/** The least that running commands durably on another machine takes: a shell loop at the end of one `ssh`. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from '../bench.ts';
import type { SshBed, Target } from './sshd.ts';

/** Runs a command to its end. */
export type Runner = (command: readonly string[]) => Promise<void>;

/**
 * Reads lines `KEY WORD…` and tells KEY when that command has ended. What it leaves would outlive this loop and
 * the connection: a session of its own, its output and, at once or not at all, its exit code in files.
 */
const loop = `cd "$1" || exit
one='
  key=$1
  shift
  "$@" >"$key.out" 2>"$key.err" </dev/null
  printf "%s\\n" "$?" >"$key.new" && mv "$key.new" "$key.exit"
  printf "%s\\n" "$key"
'
printf 'ready\\n'
while read -r words; do
  setsid sh -c "$one" sh $words &
done
`;

export async function startBareLoop(bench: Bench, bed: SshBed, { name }: Target): Promise<Runner> {
  const folder = bench.folder(bench.memory);
  const files = join(folder, 'files');
  mkdirSync(files);
  const command = `exec sh -c '${loop.replaceAll("'", "'\\''")}' sh '${files}'`;
  const ssh = spawn('ssh', ['-F', bed.config, name, command], { stdio: ['pipe', 'pipe', 'inherit'] });
  bench.atEnd(() => ssh.kill('SIGKILL'));

  const waiting = new Map<string, () => void>();
  const done = (key: string): Promise<void> => new Promise((resolve) => waiting.set(key, resolve));
  createInterface({ input: ssh.stdout }).on('line', (key) => {
    waiting.get(key)?.();
    waiting.delete(key);
  });
  await done('ready');
  let count = 0;
  return async (words) => {
    count += 1;
    const ended = done(String(count));
    ssh.stdin.write(`${count} ${words.join(' ')}\n`);
    await ended;
  };
}
