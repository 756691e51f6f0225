/**
 * What is said to the agent. An order is one call of one of its functions, as shell script; the
 * table at the top of agent.sh lists them. Order texts are strings as protocol/bytes makes them.
 */
import type { AttemptKey, CallKey } from '../host.ts';

/** A word that every POSIX shell reads back as exactly this text, which must not hold a NUL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Variables of the agent that its first order sets. */
export interface AgentSettings {
  /** The host's folder. */
  root: string;
  /** The folder of the scripts. */
  scripts: string;
  /** The command that runs a fresh shell, its words separated by blanks. */
  shell: string;
  /** Where procfs is mounted. Where it is not there, the agent asks `ps`. */
  proc: string;
  /** What tells the attempts of this folder from those of any other. */
  cookie: string;
  /** Seconds without a `beatOrder` after which the agent ends; 0 for none. */
  lease: number;
}

/** An order is cut short when the server dies in the middle of it; the braces make it do nothing then. */
function order(name: string, words: readonly string[]): string {
  return `{ ${[name, ...words.map(quote)].join(' ')}; }\n`;
}

/** The first order: makes a shell that reads stdin the agent. */
export function becomeAgent(settings: AgentSettings): string {
  const assignments = [
    `_vb_root=${quote(settings.root)}`,
    `_vb_here=${quote(settings.scripts)}`,
    `_vb_shell=${quote(settings.shell)}`,
    `_vb_proc=${quote(settings.proc)}`,
    `_vb_cookie=${quote(settings.cookie)}`,
    `_vb_lease=${settings.lease}`,
  ];
  return `{ ${assignments.join(' ')}; . ${quote(`${settings.scripts}/agent.sh`)}; }\n`;
}

/** What W needs to know of an attempt; see attempt.sh. */
export interface Launch {
  key: AttemptKey;
  /** Whether bytes can be typed into its stdin, or W is in a terminal; else it is empty. */
  stdin: 'empty' | 'open' | 'terminal';
  directory: string;
  /** A file to source for the environment. */
  environment: string;
  /** The word to look for before the start, so that there is a clear error where it is not found. */
  program: string;
  /** `NAME=value`, on top of the file's. */
  assignments: readonly string[];
  /** Program and arguments to execute. */
  words: readonly string[];
}

export function startOrder(launch: Launch): string {
  return order('_vb_start', launchWords(launch));
}

/** The script of the shell that leads a terminal's session, and has an attempt run there. */
export function terminalScript(
  launch: Launch,
  { root, scripts, proc }: Pick<AgentSettings, 'root' | 'scripts' | 'proc'>,
): string {
  // The marks of UTF-8 let backspace take back a whole character.
  return `umask 077
stty iutf8 2>/dev/null
. ${quote(`${scripts}/attempt.sh`)}
_vb_root=${quote(root)} _vb_proc=${quote(proc)}
_vb_terminal ${launchWords(launch).map(quote).join(' ')}
`;
}

function launchWords(launch: Launch): string[] {
  const { key, stdin, directory, environment, program, assignments, words } = launch;
  return [key, stdin, directory, environment, program, String(assignments.length), ...assignments, ...words];
}

/** Renews the agent's lease. */
export function beatOrder(): string {
  return order('_vb_beat', []);
}

/** An order to carry out the order in a file. */
export function sourceOrder(path: string): string {
  return order('.', [path]);
}

export function stopOrder(key: AttemptKey, graceSeconds: number): string {
  return order('_vb_stop', [key, String(Math.round(graceSeconds * 1000))]);
}

/** Tells all of an attempt that its terminal is gone. */
export function hangUpOrder(key: AttemptKey): string {
  return order('_vb_hang_up', [key]);
}

export function checkOrder(key: AttemptKey): string {
  return order('_vb_check', [key]);
}

export function sweepOrder(keys: readonly AttemptKey[]): string {
  return order('_vb_sweep', keys);
}

/** Has it look at who uses the GPUs. */
export function gpusOrder(): string {
  return order('_vb_gpus', []);
}

export function forgetOrder(keys: readonly AttemptKey[]): string {
  return order('_vb_forget', keys);
}

/** Hands a line to the shim of a call. */
export function replyOrder(call: CallKey, line: string): string {
  return order('_vb_reply', [call, line]);
}

/** Hands a call its last line. */
export function answerOrder(call: CallKey, line: string): string {
  return order('_vb_answer', [call, line]);
}

/** Hands a line to the stdin of an attempt. */
export function inputOrder(key: AttemptKey, line: string): string {
  return order('_vb_input', [key, line]);
}
