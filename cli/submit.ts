/** `vbatch` and `vrun` outside any task: they make a run. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import path, { delimiter, isAbsolute, type PlatformPath, posix } from 'node:path';
import type { Client } from '../server/client/client.ts';
import { findWorkspace } from '../server/config/workspace.ts';
import { scriptOf } from '../server/model/naming.ts';
import type { Terminal } from '../server/model/task.ts';
import { systemPath } from '../server/protocol/bytes.ts';
import {
  type CommandLineCall,
  type CommandLineContext,
  type Program,
  parseCommandLine,
  type SubmitCall,
} from '../server/protocol/commandLine.ts';
import { isErrorCode, VbatchError } from '../server/protocol/errors.ts';
import { isInteractiveShell } from '../server/protocol/interactiveShell.ts';
import { scriptDefaults, scriptHeadBytes } from '../server/protocol/scriptDefaults.ts';
import { taskJson } from '../server/protocol/taskJson.ts';
import type { SubmissionInput, TaskView } from '../server/protocol/tasks.ts';
import { type Io, writeAll } from './io.ts';
import { ownTerminal } from './ownTerminal.ts';
import type { Screen } from './render/screen.ts';
import { harmless } from './render/text.ts';
import { mayRead } from './typing.ts';
import { type WaitingClient, waitFor } from './wait.ts';

/** The most that one submission may name. */
const mostOpened = 100;

/** What submitting needs of the client. */
export type SubmittingClient = WaitingClient & Pick<Client, 'submit' | 'locate' | 'pageAddress'>;

/** One call, with what its process was started with. */
export interface Invocation {
  program: Program;
  args: readonly string[];
  directory: string;
  environment: Record<string, string>;
  version: string;
  io: Io;
  connect: () => Promise<SubmittingClient>;
}

/** Does what the command line says. Resolves with the exit code; expected failures are thrown. */
export async function runSubmission(invocation: Invocation): Promise<number> {
  const { program, io } = invocation;
  const call = readCall(invocation);
  if (call.kind === 'usage') throw new VbatchError('usage', call.message);
  if (call.kind !== 'submit') {
    await writeAll(io.stdout, call.text);
    return 0;
  }
  const terminal = terminalFor(program, call, io);
  const client = await invocation.connect();
  // Only from a terminal: what a loop reads (`while read x; do vrun …`) is not for the command (R36).
  const typing = program === 'vrun' && terminal === null && mayRead(io.stdin);
  const submission = {
    ...submissionOf(invocation, call),
    ...(typing && { stdin: 'open' as const }),
    ...(terminal && { stdin: 'terminal' as const, terminal }),
  };
  const { id, notes } = await submitted(client, call, submission);
  if (!call.quiet) for (const note of notes) io.stderr.write(`${program}: ${harmless(note)}\n`);
  if (call.dryRun) {
    io.stderr.write(`${program}: would submit ${id}\n`);
    return 0;
  }
  if (!call.follow && !call.json) io.stdout.write(`${id}\n`);
  if (call.follow && program === 'vbatch' && !call.quiet) io.stderr.write(`vbatch: ${id}\n`);
  if (program === 'vbatch' && !call.quiet && !call.json) await showAddress(id, client, io);
  const { follow, quiet } = call;
  const sitDown = terminal && (await seatAt(id, program, client, io));
  const code = call.wait
    ? await waitFor(id, client, io, { program, follow, quiet, typing, terminal: sitDown })
    : 0;
  if (call.json) await writeAll(io.stdout, json(await client.task(id)));
  return code;
}

/** Tells a person at a terminal where the graph is. A script that reads the id is told nothing more (R2). */
async function showAddress(id: string, client: SubmittingClient, io: Io): Promise<void> {
  if (io.stdout.isTTY !== true || io.stderr.isTTY !== true) return;
  try {
    io.stderr.write(`vbatch: ${await client.pageAddress(id)}\n`);
  } catch {
    // The task is submitted; where to look at it is only a convenience.
  }
}

/** Loaded only where it is needed: a call at a prompt is to start at once. */
async function seatAt(id: string, program: Program, client: SubmittingClient, io: Io) {
  const { atTask } = await import('./terminal.ts');
  return (screen: Screen) => atTask(id, program, { client, io, screen });
}

/** The terminal in which the command is to run: where that is asked for, or it is a shell to type into. */
function terminalFor(program: Program, { tty, submission }: SubmitCall, io: Io): Terminal | null {
  const isImplied =
    program === 'vrun' &&
    io.stderr.isTTY === true &&
    isInteractiveShell(submission.command) &&
    !submission.shards &&
    !submission.retries;
  const terminal = tty || isImplied ? ownTerminal(io) : null;
  if (tty && terminal === null)
    throw new VbatchError('refused', '-t needs a terminal in the foreground, as stdin and as stdout');
  return terminal;
}

/** The call, with the flags of the script's `#VBATCH` lines where its command is a script. */
function readCall({ program, args, directory, environment, version }: Invocation): CommandLineCall {
  const context: CommandLineContext = { lookup: (name) => environment[name], version };
  const call = parseCommandLine(program, args, context);
  if (call.kind !== 'submit') return call;
  const script = scriptOf(call.submission.command);
  if (script === null) return call;
  const head = readHead(path.resolve(directory, call.directory ?? '.', script));
  const defaults = head === null ? [] : scriptDefaults(head, script);
  return defaults.length === 0 ? call : parseCommandLine(program, args, { ...context, defaults });
}

/** The first bytes of a regular file, or null: a script need not be where it seems, nor be readable. */
function readHead(script: string): Buffer | null {
  let file: number;
  try {
    // Opening a FIFO would wait for its other end.
    file = openSync(systemPath(script), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(file).isFile()) return null;
    const head = Buffer.alloc(scriptHeadBytes);
    return head.subarray(0, readSync(file, head));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

function submissionOf({ directory, environment }: Invocation, call: SubmitCall): SubmissionInput {
  const folder = workingDirectory(directory, call.directory ?? '.');
  return {
    ...call.submission,
    key: freshKey(),
    directory: folder,
    environment,
    workspace: findWorkspace(folder),
    opened: openedFolders(environment),
  };
}

/** A folder that begins with a slash is one of hosts, also where Windows would give it a drive. */
export function workingDirectory(from: string, given: string, { resolve }: PlatformPath = path): string {
  return given.startsWith('/') ? posix.resolve(given) : resolve(from, given);
}

/** The folders that an editor around this terminal has open. */
function openedFolders({ VBATCH_OPENED: folders = '' }: Record<string, string>): string[] {
  return folders.split(delimiter).filter(isAbsolute).slice(0, mostOpened);
}

/** A key that no other call has (R4). No UUID: what makes them takes Node 3 ms to load. */
function freshKey(): string {
  return [process.pid, Date.now(), Math.random()].join('-');
}

async function submitted(
  client: SubmittingClient,
  call: SubmitCall,
  submission: SubmissionInput,
): Promise<{ id: string; notes: string[] }> {
  const [result] = await client.submit({ tasks: [submission], dryRun: call.dryRun });
  if (result === undefined) throw new VbatchError('internal', 'the server gave no answer to the submission');
  if ('error' in result) {
    const { code, message } = result.error;
    throw new VbatchError(isErrorCode(code) ? code : 'internal', message);
  }
  return result;
}

function json(task: TaskView): string {
  return `${JSON.stringify(taskJson(task), null, 2)}\n`;
}
