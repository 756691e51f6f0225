/** Environments on a host (R34): what shells print of them, how they differ, how an attempt gets one. */
import type { EnvironmentChange } from '../model/task.ts';
import { decodeBytes } from '../protocol/bytes.ts';
import { quote } from './agent/orders.ts';

export type Environment = ReadonlyMap<string, string>;

/** Kept by every shell for itself; never part of an environment that is handed on. */
const bookkeeping = new Set(['_', 'OLDPWD', 'PWD', 'SHLVL']);

/** They describe the connection by which an environment was looked at, and lead nowhere from a task. */
const connections = new Set(['SSH_CLIENT', 'SSH_CONNECTION', 'SSH_TTY']);

/** Which GPUs a task may see is granted anew to each (R24). */
const grants = new Set([
  'CUDA_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
  'HIP_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
]);

/**
 * Variables that some shell refuses to set, or gives a meaning or value of its own: dash ends on an
 * OPTIND that is no number, bash ends on any UID. env(1) sets them where a task is to have them.
 */
const shellsOwn = new Set(
  `BASHOPTS BASHPID BASH_ARGV0 BASH_COMMAND BASH_COMPAT BASH_SUBSHELL BASH_VERSINFO BASH_XTRACEFD COMP_WORDBREAKS
   DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME FUNCNEST GROUPS HISTCMD IFS LINENO OPTARG OPTERR OPTIND
   POSIXLY_CORRECT PPID RANDOM SECONDS SHELLOPTS SRANDOM UID`.split(/\s+/),
);

/** Whether `export NAME=value` does in any shell what it says. */
function isSettable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !shellsOwn.has(name) && !name.startsWith('_vb_');
}

/** Whether a variable is vbatch's own (or has its Velda spelling): set for each task, never handed on. */
export function isOurs(name: string): boolean {
  return name.startsWith('VBATCH_') || name.startsWith('VELDA_');
}

/** An environment without what belongs to one process alone. */
export function withoutOwn(environment: Iterable<readonly [string, string]>): Map<string, string> {
  const kept = new Map<string, string>();
  for (const [name, value] of environment) {
    const isOwn = name === '' || bookkeeping.has(name) || connections.has(name) || isOurs(name);
    if (!isOwn) kept.set(name, value);
  }
  return kept;
}

/** What leads from one environment to the other, as far as it may be handed on to a nested task. */
export function environmentChange(from: Environment, to: Environment): EnvironmentChange {
  const inherits = (name: string) =>
    isSettable(name) && !bookkeeping.has(name) && !grants.has(name) && !isOurs(name);
  const set: [string, string][] = [];
  for (const [name, value] of to) {
    if (inherits(name) && from.get(name) !== value) set.push([name, value]);
  }
  const unset = [...from.keys()].filter((name) => inherits(name) && !to.has(name));
  return { set: Object.fromEntries(set), unset };
}

/** The variables in NUL-separated form, as in /proc/PID/environ. */
export function parseEnviron(bytes: Buffer): Map<string, string> {
  const environment = new Map<string, string>();
  for (const entry of bytes.toString('latin1').split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) environment.set(fromLatin1(entry.slice(0, at)), fromLatin1(entry.slice(at + 1)));
  }
  return environment;
}

const declaration = /(?:export|declare -[A-Za-z]+) ([A-Za-z_][A-Za-z0-9_]*)(=?)/y;
const piece = /'([^']*)'|\$'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\$]+)/sy;
const ansiEscape = /\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))/gs;
const ansiLetters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The variables in what `export -p` prints, in the quoting of dash, busybox ash or bash. Exported names
 * without a value are left out, as they are from an environment. Stops at what it cannot read.
 */
export function parseExports(bytes: Buffer): Map<string, string> {
  // One character a byte: quoting is ASCII, and values need not be UTF-8.
  const text = bytes.toString('latin1');
  const environment = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    declaration.lastIndex = at;
    const match = declaration.exec(text);
    if (!match) break;
    const [, name = '', equals] = match;
    at = declaration.lastIndex;
    let value = '';
    while (at < text.length && text[at] !== '\n') {
      piece.lastIndex = at;
      const part = piece.exec(text);
      if (!part) return environment;
      value += pieceValue(part);
      at = piece.lastIndex;
    }
    at += 1;
    if (equals) environment.set(name, fromLatin1(value));
  }
  return environment;
}

function pieceValue([, single, ansi, double, escaped, plain]: RegExpExecArray): string {
  if (ansi !== undefined) {
    return ansi.replace(ansiEscape, (_, octal?: string, hex?: string, letter = '') => {
      if (octal) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
      return ansiLetters[letter] ?? letter;
    });
  }
  if (double !== undefined) return double.replace(/\\([$`"\\\n])/g, (_, c: string) => (c === '\n' ? '' : c));
  return single ?? escaped ?? plain ?? '';
}

function fromLatin1(text: string): string {
  return decodeBytes(Buffer.from(text, 'latin1'));
}

/** Splits variables into those that `export` sets and those that take env(1), each as `NAME=value`. */
export function splitAssignments(variables: Iterable<readonly [string, string]>): {
  exports: string[];
  forEnv: string[];
} {
  const exports: string[] = [];
  const forEnv: string[] = [];
  for (const [name, value] of variables) {
    if (name === '' || name.includes('=')) continue;
    (isSettable(name) ? exports : forEnv).push(`${name}=${value}`);
  }
  return { exports, forEnv };
}

/** A shell line that exports each `NAME=value`. One command for all: twice as fast as one for each. */
export function exportLine(assignments: readonly string[]): string {
  return assignments.length === 0 ? '' : `export ${assignments.map(quote).join(' ')}\n`;
}
