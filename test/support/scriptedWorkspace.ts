/** The script that looks after the files of runs, run on this machine instead of a host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { HostProcess, HostWorkspace } from '../../server/hosts/host.ts';

const script = new URL('../../server/hosts/agent/workspace.sh', import.meta.url).pathname;

/** @param shell the command that reads the script. */
export function scriptedWorkspace(folder: string, shell: readonly string[] = ['sh']): HostWorkspace {
  return {
    folder,
    async run(words): Promise<HostProcess> {
      const [program = 'sh', ...args] = [...shell, script, folder, ...words];
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      child.stdin.on('error', () => {});
      const exit = once(child, 'exit').then(([code]) => ({ code: code as number | null }));
      return {
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exit,
        close: () => {
          child.kill('SIGKILL');
          child.stdout.destroy();
        },
      };
    },
  };
}
