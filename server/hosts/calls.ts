/** Calls of vbatch and vrun from inside attempts: the server's side of the shim (see agent/shim.sh). */
import { join } from 'node:path/posix';
import type { Readable } from 'node:stream';
import { decodeBytes, encodeBytes } from '../protocol/bytes.ts';
import type { StreamKey } from './agent/events.ts';
import { answerOrder, replyOrder } from './agent/orders.ts';
import { attemptEnvironment } from './beside.ts';
import { type Environment, environmentChange, parseExports } from './environment.ts';
import { escapeForPrintf } from './escape.ts';
import { HandOver } from './handOver.ts';
import type { AttemptKey, CallAnswer, CallKey, LogStream, NestedCall } from './host.ts';
import type { Site } from './machine.ts';

const endMark = Buffer.from('\0END\n');
/** Bytes of output handed to a shim at once. */
const pieceSize = 256 * 1024;
/**
 * Texts of an answer longer than this are handed over as output. Bytes; two of them, escaped, make a line
 * shorter than PIPE_BUF, which is whole in the FIFO before a shim begins to read it.
 */
const longText = 400;

/** What an attempt's calls are compared with, and the last comparison: a fan-out makes thousands alike. */
interface Baseline {
  environment: Environment;
  last: { exports: Buffer; surroundings: Surroundings } | null;
}

type Surroundings = Pick<NestedCall, 'variables' | 'environment'>;

/** Where the calls are, while the agent is there to be told. */
export interface CallGround {
  site: Site;
  send: (order: string) => void;
}

/** A call that has been reported and is not over. */
interface OpenCall {
  /** How much of each stream has been fed. */
  fed: Record<LogStream, number>;
  /** The last line, once there is one. */
  answer: string | null;
  gone: AbortController;
}

export class NestedCalls {
  private readonly open = new Map<CallKey, OpenCall>();
  private readonly baselines = new Map<AttemptKey, Promise<Baseline>>();
  private readonly streams = new HandOver();
  private ground: CallGround | null = null;
  /** Calls are reported in the order in which they came, however long each takes to read. */
  private reported: Promise<void> = Promise.resolve();

  constructor(
    private readonly report: (call: NestedCall) => void,
    private readonly log: (message: string) => void,
  ) {}

  /** An agent is ready; what was under way with the last one is sent again. */
  attach(ground: CallGround): void {
    this.ground = ground;
    this.streams.resume();
  }

  detach(): void {
    this.ground = null;
  }

  /** Reports the call, unless that has been done, or its request is torn. One that is answered is answered again. */
  receive(key: CallKey): void {
    const { ground } = this;
    const known = this.open.get(key);
    if (known?.answer != null) ground?.send(answerOrder(key, known.answer));
    if (known || !ground) return;
    const gone = new AbortController();
    this.open.set(key, { fed: { stdout: 0, stderr: 0 }, answer: null, gone });
    const reading = this.read(ground.site, key, gone.signal).catch((error: Error) => {
      this.log(`Call ${key} cannot be read: ${error.message}`);
      return null;
    });
    this.reported = this.reported.then(async () => {
      const call = await reading;
      if (call) this.report(call);
      else this.open.delete(key);
    });
  }

  /** The calling process was told to end, perhaps before it could tell of the call. */
  leave(key: CallKey): void {
    this.receive(key);
    this.open.get(key)?.gone.abort();
  }

  took(of: StreamKey, offset: number): void {
    this.streams.took(of, offset);
  }

  deaf(of: StreamKey): void {
    this.streams.deaf(of);
  }

  /** The call has its answer, or is not there any more. */
  answered(key: CallKey): void {
    const hasLeft = this.open.get(key)?.gone.signal.aborted;
    this.forgetCall(key);
    const { ground } = this;
    if (!ground) return;
    const path = this.path(ground.site, key);
    this.remove(ground.site, [`${path}.reply`, ...(hasLeft ? [`${path}.gone`] : [])]);
  }

  /** See Host.feed. What an earlier server has handed over of the same source is not repeated. */
  async feed(key: CallKey, stream: LogStream, source: Readable): Promise<void> {
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        // Leaving the loop destroys the source.
        if (!(await this.pass(key, stream, chunk))) break;
      }
    } finally {
      source.destroy();
    }
  }

  /** See Host.answer. */
  async answer(key: CallKey, { exitCode, stdout, stderr }: CallAnswer): Promise<void> {
    const call = this.open.get(key);
    if (!call || call.answer !== null) return;
    const texts = { stdout: encodeBytes(stdout), stderr: encodeBytes(stderr) };
    const short = await Promise.all(
      (['stdout', 'stderr'] as const).map(async (stream) => {
        if (texts[stream].length <= longText) return escapeForPrintf(texts[stream]);
        await this.pass(key, stream, texts[stream]);
        return '';
      }),
    );
    call.answer = `${exitCode} =${short[0]} =${short[1]}`;
    this.ground?.send(answerOrder(key, call.answer));
  }

  /** The attempt has ended; what it has left behind may still call (R26). */
  ended(attempt: AttemptKey): void {
    this.baselines.delete(attempt);
  }

  /** Nothing of the attempt is left, so nobody waits for an answer. */
  release(attempt: AttemptKey): void {
    this.ended(attempt);
    for (const key of this.open.keys()) if (key.startsWith(`${attempt}/`)) this.forgetCall(key);
  }

  private forgetCall(key: CallKey): void {
    this.open.delete(key);
    this.streams.release(`${key} `);
  }

  private path(site: Site, key: CallKey): string {
    return join(site.paths.calls, key);
  }

  private remove(site: Site, paths: readonly string[]): void {
    site.files.remove(paths).catch((error: Error) => this.log(`Cleaning up after a call: ${error.message}`));
  }

  /** Hands over the next bytes of a call's stream. False where nobody takes them. */
  private async pass(key: CallKey, stream: LogStream, bytes: Buffer): Promise<boolean> {
    const call = this.open.get(key);
    if (!call) return false;
    const at = call.fed[stream];
    call.fed[stream] += bytes.length;
    const files = new Set<string>();
    try {
      return await this.streams.give(`${key} ${stream}`, at, bytes, pieceSize, async (from, piece) => {
        const { ground } = this;
        // Without an agent there is nobody to send to; the next one makes this go on.
        if (!ground) return;
        const file = `${this.path(ground.site, key)}.${stream}.${from}`;
        files.add(file);
        await ground.site.files.writeWhole(file, piece, 0o600);
        ground.send(replyOrder(key, `${stream} ${from} ${from + piece.length}`));
      });
    } finally {
      if (this.ground) this.remove(this.ground.site, [...files]);
    }
  }

  private async read(site: Site, key: CallKey, gone: AbortSignal): Promise<NestedCall | null> {
    const attempt = key.slice(0, key.indexOf('/'));
    // Both at once: over a long way it is the turns that take time.
    const [bytes, baseline] = await Promise.all([
      site.files.read(this.path(site, key)),
      this.baseline(site, attempt),
    ]);
    const request = parseRequest(bytes ?? Buffer.alloc(0));
    if (!request) return null;
    const { exports, ...call } = request;
    return { key, attempt, ...call, ...surroundingsOf(exports, baseline), gone };
  }

  private baseline(site: Site, attempt: AttemptKey): Promise<Baseline> {
    let reading = this.baselines.get(attempt);
    if (!reading) {
      reading = readBaseline(site, attempt);
      this.baselines.set(attempt, reading);
      reading.catch(() => this.baselines.delete(attempt));
    }
    return reading;
  }
}

/** The caller's variables, and what of them has changed since its attempt started. */
function surroundingsOf(exports: Buffer, baseline: Baseline): Surroundings {
  if (baseline.last?.exports.equals(exports)) return baseline.last.surroundings;
  const variables = parseExports(exports);
  const surroundings = { variables, environment: environmentChange(baseline.environment, variables) };
  baseline.last = { exports, surroundings };
  return surroundings;
}

async function readBaseline(site: Site, attempt: AttemptKey): Promise<Baseline> {
  return { environment: await attemptEnvironment(site, attempt), last: null };
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
