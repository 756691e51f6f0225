/** Calls of the script that looks after the files of runs on a host; see hosts/agent/workspace.sh. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { HostProcess, HostWorkspace } from '../hosts/host.ts';
import { decodeBytes } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';

/** Of what it says when something went wrong. Bytes. */
const MOST_TROUBLE = 2_000;

/** What the script's own sentences begin with. Start-up files and other programs may say something as well. */
const mark = 'vbatch: ';

export interface Call {
  readonly words: readonly string[];
  /** What it reads. */
  readonly input?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Whether `input` is compressed on its way. */
  readonly zip?: boolean;
}

/**
 * Runs the script and has `read` take what it prints, but for the `ok` at its end. Throws `unreachable` where the
 * connection is lost, `refused` with a clause where the script cannot do what it should.
 */
export async function callScript<T>(
  workspace: HostWorkspace,
  call: Call,
  read: (output: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const process = await workspace.run(call.words);
  const trouble = readTrouble(process);
  const exit = process.exit.catch(() => null);
  let own: { error: unknown } | null = null;
  const sent = send(process, call, (error) => {
    own = { error };
    // Else it would wait for the rest for ever.
    process.close();
  }).catch(() => {
    // What it had no use for it has not read; how it ends tells whether that was all it needed.
  });
  const giveUp = () => {
    if (own) throw own.error;
  };
  let result: T;
  try {
    result = await read(process.stdout as AsyncIterable<Buffer>);
  } catch (error) {
    giveUp();
    process.close();
    const ended = await exit;
    if (ended?.code) throw refusal(call, ended, await trouble);
    throw error;
  }
  await sent;
  giveUp();
  const ended = await exit;
  if (ended === null) throw new VbatchError('unreachable', 'the connection was lost meanwhile');
  if (ended.code !== 0) throw refusal(call, ended, await trouble);
  return result;
}

/** Runs the script and gives the lines that it prints, a character per byte. */
export async function callForLines(workspace: HostWorkspace, call: Call): Promise<string[]> {
  const text = await callScript(workspace, call, async (output) => {
    const pieces: Buffer[] = [];
    for await (const piece of output) pieces.push(piece);
    return Buffer.concat(pieces).toString('latin1');
  });
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== 'ok') {
    throw new VbatchError('unreachable', 'the connection was lost meanwhile');
  }
  return lines;
}

/** @param fail told what `input` itself has thrown */
async function send(
  { stdin }: HostProcess,
  { input = [], zip = false }: Call,
  fail: (error: unknown) => void,
): Promise<void> {
  async function* watched() {
    try {
      yield* input;
    } catch (error) {
      fail(error);
      throw error;
    }
  }
  const source = Readable.from(watched(), { objectMode: false });
  await (zip ? pipeline(source, createGzip({ level: 1 }), stdin) : pipeline(source, stdin));
}

async function readTrouble({ stderr }: HostProcess): Promise<string> {
  let text = Buffer.alloc(0);
  try {
    for await (const piece of stderr) {
      if (text.length < MOST_TROUBLE) text = Buffer.concat([text, piece as Buffer]);
    }
  } catch {
    // What has come says enough.
  }
  return decodeBytes(text.subarray(0, MOST_TROUBLE)).trim();
}

function refusal({ words }: Call, { code }: { code: number | null }, trouble: string): VbatchError {
  const lines = trouble.split('\n').filter((line) => line !== '');
  const own = lines.find((line) => line.startsWith(mark));
  const first = own?.slice(mark.length) ?? lines[0];
  const how = code === null ? 'it was ended' : `exit code ${code}`;
  return new VbatchError(
    'refused',
    first ?? `the script there has failed without a word (${words[0]}: ${how})`,
  );
}
