/** Other programs, as the measurements use them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a program to its end and gives its stdout. Rejects unless it exits with 0. */
export async function output(
  program: string,
  args: readonly string[],
  { cwd, env }: Surroundings,
): Promise<string> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}`);
  return text.trim();
}

/** Runs a program whose output nobody wants. Resolves at its end, whatever its exit code. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env }: Surroundings,
): Promise<void> {
  await once(spawn(program, args, { cwd, env, stdio: 'ignore' }), 'exit');
}

/** Whether PATH leads to this program. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
