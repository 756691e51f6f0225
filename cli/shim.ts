/**
 * Inside a task, a call belongs to the host it is made on: the shim there knows which task calls, and
 * works without a connection (R33). Whoever finds this program on PATH first is handed over to it.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { encodeBytes } from '../server/protocol/bytes.ts';
import type { Program } from '../server/protocol/commandLine.ts';
import { VbatchError } from '../server/protocol/errors.ts';

/** The shim's folder, where this process runs inside a task; else null. */
export function shimFolder(env: NodeJS.ProcessEnv): string | null {
  return env.VBATCH_SHIM_DIR || null;
}

/** Runs the shim with the same arguments and streams. Resolves with its exit code. */
export function handOver(folder: string, program: Program, args: readonly string[]): Promise<number> {
  const shim = join(folder, program);
  const exact = args.every((text) => text.isWellFormed());
  const child = exact
    ? spawn(shim, args, { stdio: 'inherit' })
    : spawn('sh', ['-c', 'eval "$(cat <&3)"'], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
  if (!exact) writeScript(child.stdio[3], [shim, ...args]);
  // A terminal sends SIGINT to the shim as well; the others may have been sent to this process alone.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  const ignore = () => {};
  process.on('SIGINT', ignore).on('SIGTERM', pass).on('SIGHUP', pass);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => {
      const advice = 'was the task started by another version of vbatch?';
      reject(new VbatchError('internal', `cannot run ${shim} (${error.message}); ${advice}`));
    });
    child.on('exit', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
  return ended.finally(() => process.off('SIGINT', ignore).off('SIGTERM', pass).off('SIGHUP', pass));
}

/** Node cannot pass on bytes that are not UTF-8; a shell that reads the command from a pipe can. */
function writeScript(pipe: unknown, words: readonly string[]): void {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const stream = pipe as NodeJS.WritableStream;
  // A shell that could not start has not read it; its exit says so.
  stream.on('error', () => {});
  stream.end(encodeBytes(`exec ${quoted} 3<&-\n`));
}
