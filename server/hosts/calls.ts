/**
 * Calls of vbatch and vrun from inside attempts: the server's side of the shim (see agent/shim.sh).
 *
 * Its small files are read and written synchronously: a call touches some five of them, fresh in the
 * page cache, and sending each through the thread pool costs Node ten times the work itself.
 */
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { decodeBytes, encodeBytes } from '../protocol/bytes.ts';
import { type Environment, environmentChange, parseExports } from './environment.ts';
import { openToWrite, writeAll } from './fifo.ts';
import type { HostPaths } from './files.ts';
import type { AttemptKey, CallAnswer, CallKey, LogStream, NestedCall } from './host.ts';

const endMark = Buffer.from('\0END\n');
/** What there is besides of a call that has streams. */
const streamSuffixes = ['.out', '.err', '.out.fed', '.err.fed'];
/** Characters of the count in a `.fed` file, so that a new one always covers the old one. */
const countWidth = 16;

/** What an attempt's calls are compared with, and the last comparison: a fan-out makes thousands alike. */
interface Baseline {
  environment: Environment;
  last: { exports: Buffer; surroundings: Surroundings } | null;
}

type Surroundings = Pick<NestedCall, 'variables' | 'environment'>;

export class NestedCalls {
  /** Calls reported and not yet answered. */
  private readonly open = new Set<CallKey>();
  private readonly baselines = new Map<AttemptKey, Baseline>();

  constructor(
    private readonly paths: HostPaths,
    private readonly report: (call: NestedCall) => void,
  ) {}

  /** Reports the call, unless that has been done, or it is answered, or its request is torn. */
  receive(key: CallKey): void {
    if (this.open.has(key)) return;
    const request = parseRequest(readIfThere(this.path(key)));
    if (!request) return;
    this.open.add(key);
    const { exports, ...call } = request;
    const attempt = key.slice(0, key.indexOf('/'));
    this.report({ key, attempt, ...call, ...this.surroundings(attempt, exports) });
  }

  /** See Host.feed. What an earlier server has handed over of the same source is not repeated. */
  async feed(key: CallKey, stream: LogStream, source: Readable): Promise<void> {
    const path = `${this.path(key)}.${stream === 'stdout' ? 'out' : 'err'}`;
    const descriptor = openToWrite(path);
    if (descriptor === null) {
      source.destroy();
      return;
    }
    const count = new HandedOver(`${path}.fed`);
    try {
      let skip = count.value;
      for await (const chunk of source as AsyncIterable<Buffer>) {
        const rest = chunk.subarray(skip);
        skip -= chunk.length - rest.length;
        // Leaving the loop destroys the source.
        if (!(await writeAll(descriptor, rest, (bytes) => count.add(bytes)))) break;
      }
    } finally {
      closeSync(descriptor);
      count.close();
    }
  }

  /** See Host.answer. */
  async answer(key: CallKey, answer: CallAnswer): Promise<void> {
    const path = this.path(key);
    const descriptor = openToWrite(`${path}.reply`);
    if (descriptor !== null) {
      try {
        await writeAll(descriptor, encodeAnswer(answer), () => {});
      } finally {
        closeSync(descriptor);
      }
    }
    // The name stays taken for as long as the attempt is known; a server that comes later finds nothing to answer.
    ifThere(() => truncateSync(path));
    ifThere(() => unlinkSync(`${path}.reply`));
    if (existsSync(`${path}.out`)) {
      for (const suffix of streamSuffixes) ifThere(() => unlinkSync(path + suffix));
    }
    this.open.delete(key);
  }

  /** Lets go of what was kept in memory for an attempt that has ended. */
  release(attempt: AttemptKey): void {
    this.baselines.delete(attempt);
    for (const key of this.open) if (key.startsWith(`${attempt}/`)) this.open.delete(key);
  }

  private path(key: CallKey): string {
    return join(this.paths.calls, key);
  }

  /** The caller's variables, and what of them has changed since its attempt started. */
  private surroundings(attempt: AttemptKey, exports: Buffer): Surroundings {
    let baseline = this.baselines.get(attempt);
    if (!baseline) {
      const run = readIfThere(`${this.paths.attempt(attempt)}.run`);
      baseline = { environment: parseExports(run.subarray(run.lastIndexOf(0) + 1)), last: null };
      this.baselines.set(attempt, baseline);
    }
    if (baseline.last?.exports.equals(exports)) return baseline.last.surroundings;
    const variables = parseExports(exports);
    const surroundings = { variables, environment: environmentChange(baseline.environment, variables) };
    baseline.last = { exports, surroundings };
    return surroundings;
  }
}

function ifThere(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A file's bytes, or none where it cannot be read: a line in the FIFO may name anything. */
function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Counts the bytes that the shim is sure to get, for a server that takes over. */
class HandedOver {
  value = 0;
  private readonly descriptor: number;

  constructor(path: string) {
    this.descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.value = Number(readFileSync(this.descriptor, 'latin1'));
  }

  add(bytes: number): void {
    this.value += bytes;
    writeSync(this.descriptor, String(this.value).padStart(countWidth), 0);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

interface Request extends Pick<NestedCall, 'program' | 'args' | 'directory'> {
  /** The caller's whole environment, as `export -p` prints it. */
  exports: Buffer;
}

/** What a request file holds, or null where it is empty or torn. */
export function parseRequest(bytes: Buffer): Request | null {
  if (!bytes.subarray(-endMark.length).equals(endMark)) return null;
  let at = 0;
  const field = () => {
    const end = bytes.indexOf(0, at);
    const text = decodeBytes(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  const program = field() === 'vrun' ? 'vrun' : 'vbatch';
  const directory = field();
  const count = Number(field());
  if (!(count >= 0 && count <= bytes.length)) return null;
  const args = Array.from({ length: count }, field);
  return { program, directory, args, exports: bytes.subarray(at, -endMark.length) };
}

/** The line that the shim reads: see agent/shim.sh. */
export function encodeAnswer({ exitCode, stdout, stderr }: CallAnswer): Buffer {
  return Buffer.from(`${exitCode} =${escapeForPrintf(stdout)} =${escapeForPrintf(stderr)}\n`);
}

/** The text as printf's %b takes it, in bytes that no shell gives a meaning to. */
function escapeForPrintf(text: string): string {
  const bytes = encodeBytes(text).toString('latin1');
  return bytes.replace(
    /[^A-Za-z0-9_./:,+=@%-]/g,
    (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
