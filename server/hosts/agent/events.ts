/** What the agent tells: one line each, as the table at the top of agent.sh lists them. */
import { constants } from 'node:os';
import type { Exit } from '../../model/task.ts';
import type { AttemptKey, CallKey, LogStream } from '../host.ts';

/** How an attempt ended, as its .exit file has it. */
export interface End {
  kind: 'exit' | 'directory' | 'program' | 'setup' | 'never';
  code: number;
  /** The directory or program, or empty where it was too long to tell. */
  text: string;
}

/**
 * Names a stream that is handed to the host piece by piece: `CALLKEY stdout`, `CALLKEY stderr` or
 * `ATTEMPTKEY stdin`.
 */
export type StreamKey = string;

export type AgentEvent =
  | { type: 'ready'; mode: string }
  | { type: 'unfit' }
  | { type: 'gpus' }
  | { type: 'started'; key: AttemptKey; terminal: boolean }
  | { type: 'lost' | 'absent' | 'unable'; key: AttemptKey }
  | { type: 'ended' | 'stopped'; key: AttemptKey; written: readonly LogStream[]; end: End }
  | { type: 'call' | 'gone' | 'answered'; call: CallKey }
  | { type: 'took'; of: StreamKey; offset: number }
  | { type: 'deaf'; of: StreamKey };

const endPattern = /^(exit|directory|program|setup|never) (\d+) ?(.*)$/s;
const keyPattern = /^\d+\.\d+$/;
const callPattern = /^\d+\.\d+\/\d+-\d+$/;
const streamPattern = /^(?:\d+\.\d+\/\d+-\d+ (?:stdout|stderr)|\d+\.\d+ stdin)$/;

/** How an end says to which streams the attempt has written. */
const writtenStreams = new Map<string, readonly LogStream[]>([
  ['none', []],
  ['stdout', ['stdout']],
  ['stderr', ['stderr']],
  ['both', ['stdout', 'stderr']],
]);

/** What an agent tells once it is ready. */
export type HostEvent = Exclude<AgentEvent, { type: 'ready' | 'unfit' }>;

/** The event that a line stands for, or null: anything on the host may write into the FIFO. */
export function parseEvent(line: string): AgentEvent | null {
  const [type, rest] = splitOnce(line);
  switch (type) {
    case 'ready':
      return { type, mode: rest };
    case 'unfit':
    case 'gpus':
      return { type };
    case 'call':
    case 'gone':
    case 'answered':
      return callPattern.test(rest) ? { type, call: rest } : null;
    case 'started': {
      const [key, what] = splitOnce(rest);
      const isKnown = keyPattern.test(key) && (what === '' || what === 'terminal');
      return isKnown ? { type, key, terminal: what === 'terminal' } : null;
    }
    case 'lost':
    case 'absent':
    case 'unable':
      return keyPattern.test(rest) ? { type, key: rest } : null;
    case 'took': {
      const [, of = '', offset] = /^(.*) (\d+)$/.exec(rest) ?? [];
      return streamPattern.test(of) ? { type, of, offset: Number(offset) } : null;
    }
    case 'deaf':
      return streamPattern.test(rest) ? { type, of: rest } : null;
    case 'ended':
    case 'stopped': {
      const [key, result] = splitOnce(rest);
      const [streams, record] = splitOnce(result);
      const written = writtenStreams.get(streams);
      const match = endPattern.exec(record);
      if (!written || !match || !keyPattern.test(key)) return null;
      const [, kind, code, text = ''] = match;
      return { type, key, written, end: { kind: kind as End['kind'], code: Number(code), text } };
    }
    default:
      return null;
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The signals of Linux, from 1 on. */
const ofLinux = `HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT
   CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS`.split(/\s+/);

/**
 * The names of signals by their numbers, the first of each: 6 is ABRT rather than IOT. Windows has numbers of its own and
 * no tasks, so there they are those of most hosts.
 */
export function signalsOf(platform: NodeJS.Platform): ReadonlyMap<number, string> {
  if (platform === 'win32') return new Map(ofLinux.map((name, index) => [index + 1, name]));
  const own = Object.entries(constants.signals).reverse();
  return new Map(own.map(([name, number]) => [number, name.slice('SIG'.length)]));
}

const signalNames = signalsOf(process.platform);

/**
 * The exit as the model has it. A shell reports a command that exits with 128+N and one that dies of
 * signal N alike; both are taken for the signal.
 */
export function exitOf(end: End, host: string): Exit {
  const signal = end.kind === 'exit' && end.code > 128 ? (signalNames.get(end.code - 128) ?? null) : null;
  return { exitCode: end.code, signal, reason: reasonOf(end, host) };
}

function reasonOf({ kind, code, text }: End, host: string): string | null {
  const named = text === '' ? '' : `: ${text}`;
  switch (kind) {
    case 'exit':
      return null;
    case 'directory':
      return text === ''
        ? `its directory does not exist on ${host}, or cannot be entered`
        : `the directory ${text} does not exist on ${host}, or cannot be entered`;
    case 'program':
      return code === 127
        ? `command not found on ${host}${named}`
        : `not an executable file on ${host}${named}`;
    case 'setup':
      return `the setup lines of ${host} or its pool failed with exit code ${code}; stderr may say why`;
    case 'never':
      return 'stopped before it started';
  }
}
