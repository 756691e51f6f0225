/** Looks through the whole output of an attempt, as it lies on the disk. */
import { Readable } from 'node:stream';
import type { LogSearchMessage } from '../protocol/logQueries.ts';
import type { LogChunk } from '../protocol/logs.ts';
import { LineSearch, type Sought } from './lineSearch.ts';

/** So many bytes are searched between two messages of progress. */
const stride = 16 * 1024 * 1024;

export interface LogSearch extends Sought {
  /** Ends after so many lines. */
  readonly limit: number;
}

/**
 * LogSearchMessage objects, as they are found; nothing is read that nobody waits for. Fails as `log` does, which is
 * a stream of LogChunk objects from the first byte on, and is destroyed with this.
 * @param size how many bytes there are, at the least.
 */
export function searchLog(log: Readable, search: LogSearch, size: number): Readable {
  const messages = Readable.from(find(log, search, size), { highWaterMark: 1 });
  messages.once('close', () => log.destroy());
  return messages;
}

async function* find(log: Readable, search: LogSearch, size: number): AsyncGenerator<LogSearchMessage> {
  const lines = new LineSearch(search);
  let searched = 0;
  let told = 0;
  let left = search.limit;
  const end = (complete: boolean): LogSearchMessage => {
    return { type: 'end', searched, size: Math.max(size, searched), complete };
  };
  for await (const chunk of log) {
    const hits = lines.push(chunk as LogChunk, searched);
    searched += (chunk as LogChunk).data.length;
    for (const hit of hits) {
      yield { type: 'hit', ...hit };
      left -= 1;
      if (left === 0) return yield end(false);
    }
    if (searched - told < stride) continue;
    told = searched;
    yield { type: 'progress', searched, size: Math.max(size, searched) };
  }
  for (const hit of lines.end().slice(0, left)) yield { type: 'hit', ...hit };
  yield end(true);
}
