/** Names of tasks and what they become in an id (R7, R8). */

/** Longest segment of an id, in characters. A path of many segments must still fit on a screen. */
const maxSegment = 100;
/** Longest derived name, in characters; Linux allows a file name of 255 bytes. */
const maxName = 255;

/** Endings that say "this is a script" and are no part of its name. */
const scriptExtension = /\.(sh|bash|zsh|ksh|fish|py|pyw|pl|rb|js|mjs|cjs|ts|mts|cts|r|jl|php|lua|tcl|awk)$/i;

/**
 * How an interpreter finds its script: `inline` flags carry the program itself, so that no file is
 * run; `module` flags name a module instead of a file; `value` flags take the next word.
 */
interface Interpreter {
  names: RegExp;
  inline?: readonly string[];
  module?: readonly string[];
  value?: readonly string[];
}

const interpreters: readonly Interpreter[] = [
  { names: /^(python|pypy)[\d.]*$/, inline: ['c'], module: ['m'], value: ['W', 'X', 'Q'] },
  {
    names: /^(ba|da|k|mk|z|a|fi)?sh$/,
    inline: ['c', '-command'],
    value: ['o', 'O', '-rcfile', '-init-file'],
  },
  { names: /^perl[\d.]*$/, inline: ['e', 'E'], value: ['I', 'M', 'm'] },
  { names: /^ruby[\d.]*$/, inline: ['e'], value: ['I', 'r'] },
  {
    names: /^node(js)?$/,
    inline: ['e', 'p', '-eval', '-print'],
    value: ['r', 'C', '-require', '-import', '-loader', '-conditions'],
  },
  { names: /^Rscript$/, inline: ['e'] },
  { names: /^julia$/, inline: ['e', 'E'], value: ['L', 'p', 't', 'J', 'C', 'H'] },
  { names: /^php[\d.]*$/, inline: ['r'], value: ['d', 'c'] },
  { names: /^lua(jit)?[\d.]*$/, inline: ['e'], value: ['l'] },
];

/** What a command runs: a script file, a module of an interpreter, or neither. */
type Target = { script: string } | { module: string } | null;

/**
 * The name of a task that was given none (R8): the script or module it runs, without folder and
 * extension, else its program. Never empty.
 */
export function taskName(command: readonly string[]): string {
  const words = withoutEnv(command);
  const target = targetOf(words);
  const subject = target === null ? (words[0] ?? '') : 'script' in target ? target.script : target.module;
  const base = target !== null && 'module' in target ? lastPart(subject, '.') : lastPart(subject, '/');
  const bare = base.replace(scriptExtension, '') || base || 'task';
  return [...bare].slice(0, maxName).join('');
}

/**
 * The script file that a command runs, as it is written there: its own first word where that is a
 * path or ends like a script, or the script argument of a known interpreter. Null where there is none.
 */
export function scriptOf(command: readonly string[]): string | null {
  const target = targetOf(withoutEnv(command));
  return target !== null && 'script' in target ? target.script : null;
}

/**
 * What a name becomes in an id (R7): every character outside `[A-Za-z0-9._-]` is a `_`. Never
 * empty and never `.` or `..`, and cut to a sane length: a segment may serve as a file name.
 */
export function segmentOf(name: string): string {
  const segment = [...name.slice(0, 2 * maxSegment)]
    .slice(0, maxSegment)
    .join('')
    .replace(/[^A-Za-z0-9._-]/gu, '_');
  if (segment === '') return '_';
  return segment === '.' || segment === '..' ? segment.replaceAll('.', '_') : segment;
}

function targetOf(words: readonly string[]): Target {
  const program = words[0];
  if (program === undefined) return null;
  const interpreter = interpreters.find(({ names }) => names.test(lastPart(program, '/')));
  if (interpreter !== undefined) return interpretedTarget(interpreter, words);
  return program.includes('/') || scriptExtension.test(program) ? { script: program } : null;
}

/** Walks over an interpreter's flags to its script, module or inline program. */
function interpretedTarget(interpreter: Interpreter, words: readonly string[]): Target {
  const { inline = [], module = [], value = [] } = interpreter;
  for (let at = 1; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '-') return null;
    if (word === '--') return words[at + 1] === undefined ? null : { script: words[at + 1] as string };
    if (!/^[-+]./.test(word)) return { script: word };
    const flags = word.startsWith('--') ? [word.slice(1)] : [...word.slice(1)];
    for (const [place, flag] of flags.entries()) {
      if (inline.includes(flag)) return null;
      const attached = flags.slice(place + 1).join('');
      if (module.includes(flag)) {
        const name = attached || words[at + 1];
        return name === undefined ? null : { module: name };
      }
      if (value.includes(flag)) {
        if (attached === '') at += 1;
        break;
      }
    }
  }
  return null;
}

/** The command that `env [-i] [-u NAME] [NAME=VALUE…] command` runs; other commands as they are. */
function withoutEnv(command: readonly string[]): readonly string[] {
  if (lastPart(command[0] ?? '', '/') !== 'env') return command;
  let at = 1;
  while (at < command.length) {
    const word = command[at] as string;
    if (word === '-u' || word === '-C') at += 2;
    else if (word.startsWith('-') || /^[^/=]+=/.test(word)) at += 1;
    else break;
  }
  return at < command.length ? command.slice(at) : command;
}

/** The text after the last separator that has something behind it. */
function lastPart(text: string, separator: '/' | '.'): string {
  const parts = text.split(separator).filter((part) => part !== '');
  return parts.at(-1) ?? '';
}
