/** A task's output as a stream: of one attempt or of all, as written, to its end or as it grows. */
import { Readable } from 'node:stream';
import type { AttemptKey, HostLogs, LogStream } from '../hosts/host.ts';
import type { Attempt, Task, TaskNumber } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { LogChunk } from '../protocol/logs.ts';
import type { LogRequest } from './service.ts';
import type { TaskWatch } from './taskWatch.ts';

/** Bytes read at once. */
const readSize = 256 * 1024;

export function attemptKey(task: number, attempt: number): AttemptKey {
  return `${task}.${attempt}`;
}

/** The task's number and the attempt's, as they were put together. */
export function parseKey(key: AttemptKey): { task: TaskNumber; attempt: number } {
  const [task, attempt] = key.split('.');
  return { task: Number(task), attempt: Number(attempt) };
}

/** Throws `notFound` where the task has had no attempt of this number. */
export function checkAttempt({ id, attempts }: Task, number: number | undefined): void {
  if (number === undefined || number <= attempts.length) return;
  const made = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`;
  throw new VbatchError('notFound', `there is no attempt ${number} of ${id}: it has had ${made}`);
}

/** Chunks of output. With `follow` it ends when the task is done, or the one attempt asked for is. */
export function openLog(source: TaskWatch, request: LogRequest): Readable {
  const abort = new AbortController();
  const all = readAttempts(source, request, abort.signal);
  const chunks = request.length === undefined ? all : firstOf(all, request.length);
  // `Readable.from` would wait, when destroyed, for the chunk that the reader is waiting for.
  return new Readable({
    objectMode: true,
    highWaterMark: 4,
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      abort.abort();
      void letGo(chunks);
      done(error);
    },
  });
}

async function* firstOf(chunks: AsyncGenerator<LogChunk>, length: number): AsyncGenerator<LogChunk> {
  let left = length;
  if (left === 0) return;
  for await (const { stream, data } of chunks) {
    yield { stream, data: data.subarray(0, left) };
    left -= data.length;
    if (left <= 0) return;
  }
}

/** Makes a reader clean up that is between two chunks. Nobody hears it fail any more. */
async function letGo(chunks: AsyncGenerator<LogChunk>): Promise<void> {
  try {
    await chunks.return(undefined);
  } catch {}
}

async function* readAttempts(
  source: TaskWatch,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const first = request.attempt ?? (request.follow ? 1 : Math.max(1, source.task().attempts.length));
  for (let number = first; ; number++) {
    while (source.task().attempts.length < number) {
      if (!request.follow || source.task().phase.kind === 'done' || signal.aborted) return;
      await source.changed(signal);
    }
    yield* readAttempt(source, number, request, number === first, signal);
    if (request.attempt !== undefined || !request.follow || signal.aborted) return;
  }
}

interface Progress {
  stdout: number;
  stderr: number;
}

async function* readAttempt(
  source: TaskWatch,
  number: number,
  request: LogRequest,
  isFirst: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const attempt = source.task().attempts[number - 1];
  if (attempt === undefined) return;
  const { host: name } = attempt.allocation;
  const logs = source.logs(name);
  const key = attemptKey(source.task().number, number);
  const progress: Progress = { stdout: 0, stderr: 0 };
  if (isFirst && request.stream === 'both') Object.assign(progress, request.before);
  else if (isFirst && request.stream !== 'both') progress[request.stream] = request.offset ?? 0;
  const growth = watchGrowth(logs, key, request.follow || isOver(attempt), signal);
  try {
    while (!signal.aborted) {
      const isWhole = logs.isWhole(key);
      const over = isOver(attempt) && isWhole;
      const grown = growth.next();
      const before = progress.stdout + progress.stderr;
      yield* request.stream === 'both'
        ? readBoth(logs, key, progress, signal)
        : readStream(logs, key, request.stream, progress, signal);
      if (over || (!request.follow && !isOver(attempt))) return;
      // A host that is not configured any more brings nothing, however long anybody waits.
      if (!isWhole && (!request.follow || source.host(name) === undefined)) {
        throwIfOutOfReach(source, name, key);
      }
      // What ended while this was reading is read once more, for the last it has written.
      if (progress.stdout + progress.stderr === before && !(isOver(attempt) && logs.isWhole(key))) {
        const changed = new AbortController();
        await Promise.race([grown, source.changed(changed.signal)]);
        changed.abort();
      }
    }
  } finally {
    growth.stop();
  }
}

/** What an unreachable host still holds of an ended attempt's output is waited for only by those who follow it. */
function throwIfOutOfReach(source: TaskWatch, host: string, key: AttemptKey): void {
  const trouble = source.trouble(host);
  if (trouble === null) return;
  throw new VbatchError(
    'unreachable',
    `the rest of the output of attempt ${key} is still on ${host}, which is out of reach ${trouble}`,
  );
}

export function isOver({ state }: Attempt): boolean {
  return state === 'ended' || state === 'lost';
}

/** Turns the host's call-backs into promises: each `next` resolves at the first growth after its call. */
function watchGrowth(logs: HostLogs, key: AttemptKey, follow: boolean, signal: AbortSignal) {
  let wake: () => void = () => {};
  const stopWatching = follow ? logs.watch(key, () => wake()) : () => {};
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  return {
    next: () => new Promise<void>((resolve) => (wake = resolve)),
    stop: () => {
      stopWatching();
      signal.removeEventListener('abort', onAbort);
      wake();
    },
  };
}

async function* readStream(
  logs: HostLogs,
  key: AttemptKey,
  stream: LogStream,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  while (!signal.aborted) {
    const data = await logs.read(key, stream, progress[stream], readSize);
    if (data.length === 0) return;
    progress[stream] += data.length;
    yield { stream, data };
  }
}

/** Both streams in the order in which they were written, as far as the host could tell (R36). */
async function* readBoth(
  logs: HostLogs,
  key: AttemptKey,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  for (const stretch of await logs.order(key)) {
    const end = stretch.offset + stretch.length;
    while (progress[stretch.stream] < end && !signal.aborted) {
      const wanted = Math.min(readSize, end - progress[stretch.stream]);
      const data = await logs.read(key, stretch.stream, progress[stretch.stream], wanted);
      if (data.length === 0) return;
      progress[stretch.stream] += data.length;
      yield { stream: stretch.stream, data };
    }
  }
}
