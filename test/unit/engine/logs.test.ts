import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { LogChunk } from '../../../server/protocol/logs.ts';
import { onlineEngine, settled } from './fixture.ts';

/** What a log says, `!` before what came on stderr, up to its end. */
async function text(log: Readable): Promise<string> {
  let all = '';
  for await (const chunk of log) {
    const { stream, data } = chunk as LogChunk;
    all += stream === 'stdout' ? String(data) : `!${String(data)}`;
  }
  return all;
}

/** An engine with one task, whose first attempt runs. */
async function running(retries = 0) {
  const made = await onlineEngine();
  const id = await made.submit({ name: 'task', retries });
  await settled();
  made.host.reports.started('1.1');
  await settled();
  return { ...made, id };
}

describe('a log', () => {
  it('R36 is read up to what is written, of one stream from any byte, or of both in order', async () => {
    const { engine, host, id } = await running();
    host.write('1.1', 'stdout', 'one ');
    host.write('1.1', 'stderr', 'two ');
    host.write('1.1', 'stdout', 'three');
    expect(await text(await engine.log(id, { stream: 'stdout', follow: false }))).toBe('one three');
    expect(await text(await engine.log(id, { stream: 'stdout', offset: 4, follow: false }))).toBe('three');
    expect(await text(await engine.log(id, { stream: 'both', follow: false }))).toBe('one !two three');
  });

  it('R36 goes on where a reader has come in each stream, and for so many bytes', async () => {
    const { engine, host, id } = await running();
    host.write('1.1', 'stdout', 'one ');
    host.write('1.1', 'stderr', 'two ');
    host.write('1.1', 'stdout', 'three');
    const before = { stdout: 2, stderr: 1 };
    const request = { stream: 'both', before } as const;
    expect(await text(await engine.log(id, { ...request, follow: false, length: 7 }))).toBe('e !wo th');
    const all = text(await engine.log(id, { ...request, follow: true }));
    host.write('1.1', 'stderr', 'four');
    host.end('1.1');
    expect(await all).toBe('e !wo three!four');
    expect(await text(await engine.log(id, { ...request, follow: false, length: 0 }))).toBe('');
  });

  it('R36 says where a byte of the whole is', async () => {
    const { engine, host, id } = await running();
    host.write('1.1', 'stdout', 'one ');
    host.write('1.1', 'stderr', 'two ');
    host.write('1.1', 'stdout', 'three');
    const size = { stdout: 9, stderr: 4 };
    const place = { attempt: 1, over: false, whole: true, size };
    const end = { ...place, position: 13, before: size };
    expect(await engine.logPlace(id, undefined, undefined)).toEqual(end);
    expect(await engine.logPlace(id, 1, 99)).toEqual(end);
    const before = { stdout: 4, stderr: 2 };
    expect(await engine.logPlace(id, 1, 6)).toEqual({ ...place, position: 6, before });
    expect(await engine.logPlace(id, 1, -7)).toEqual({ ...place, position: 6, before });
    expect(await engine.logPlace(id, 1, -99)).toMatchObject({
      position: 0,
      before: { stdout: 0, stderr: 0 },
    });
    host.end('1.1');
    expect(await engine.logPlace(id, 1, 0)).toMatchObject({ over: true });
  });

  it('is searched through both streams, and the search can be given up', async () => {
    const { engine, host, id } = await running();
    host.write('1.1', 'stdout', 'an err');
    host.write('1.1', 'stderr', 'Error: x\n');
    host.write('1.1', 'stdout', 'or\n');
    const sought = { text: 'error', matchCase: false, limit: 9 };
    const messages: unknown[] = [];
    for await (const message of await engine.searchLog(id, undefined, sought)) messages.push(message);
    expect(messages).toMatchObject([
      { type: 'hit', stream: 'stderr', position: 6, line: 1, text: 'Error: x', at: 0, length: 5 },
      { type: 'hit', stream: 'stdout', position: 0, line: 1, text: 'an error', at: 3 },
      { type: 'end', searched: 18, size: 18, complete: true },
    ]);
    const first = await engine.searchLog(id, 1, { ...sought, limit: 1 });
    expect((await first.toArray()).at(-1)).toMatchObject({ type: 'end', complete: false });
    await expect(engine.searchLog(id, 2, sought)).rejects.toThrow('there is no attempt 2');
  });

  it('R3 is followed to its end, what was written last included', async () => {
    const { engine, host, id } = await running();
    const all = text(await engine.log(id, { stream: 'both', follow: true }));
    for (const word of ['a', 'b', 'c']) {
      host.write('1.1', 'stdout', word);
      await settled();
    }
    host.write('1.1', 'stderr', 'd');
    host.end('1.1');
    expect(await all).toBe('abc!d');
    expect(host.watching).toBe(0);
  });

  it('R3 ends also when the attempt ends while it is being read', async () => {
    const { engine, host, id } = await running();
    host.write('1.1', 'stdout', 'words');
    let reads = 0;
    host.beforeRead = async () => {
      reads += 1;
      // All has been read once; this time there is nothing new.
      if (reads !== 3) return;
      host.end('1.1');
      await settled();
    };
    expect(await text(await engine.log(id, { stream: 'stdout', follow: true }))).toBe('words');
  });

  it('R28 is followed over all attempts, or over one alone', async () => {
    const { engine, host, id } = await running(1);
    const all = text(await engine.log(id, { stream: 'stdout', follow: true }));
    const second = text(await engine.log(id, { stream: 'stdout', attempt: 2, follow: true }));
    host.write('1.1', 'stdout', 'first,');
    host.end('1.1', 1);
    await settled();
    host.write('1.2', 'stdout', 'second');
    host.end('1.2');
    expect(await Promise.all([all, second])).toEqual(['first,second', 'second']);
  });

  it('is let go of when its reader goes while nothing is written', async () => {
    const { engine, host, id } = await running();
    const log = await engine.log(id, { stream: 'both', follow: true });
    log.on('data', () => {});
    await settled();
    expect(host.watching).toBe(1);
    const closed = new Promise((resolve) => log.once('close', resolve));
    log.destroy();
    await closed;
    await settled();
    expect(host.watching).toBe(0);
  });

  it('is let go of when its reader goes without having read all', async () => {
    const { engine, host, id } = await running();
    for (let i = 0; i < 20; i++) host.write('1.1', i % 2 === 0 ? 'stdout' : 'stderr', 'x');
    const log = await engine.log(id, { stream: 'both', follow: true });
    log.once('readable', () => log.read());
    await settled();
    expect(host.watching).toBe(1);
    log.destroy();
    await settled();
    expect(host.watching).toBe(0);
  });

  it('fails as the reading of it fails', async () => {
    const { engine, host, id } = await running();
    host.beforeRead = () => Promise.reject(new Error('the disk is gone'));
    await expect(text(await engine.log(id, { stream: 'stdout', follow: true }))).rejects.toThrow(
      'the disk is gone',
    );
    expect(host.watching).toBe(0);
  });

  it('of an attempt that there is not is refused', async () => {
    const { engine, id } = await running();
    await expect(engine.log(id, { stream: 'both', attempt: 2, follow: false })).rejects.toThrow(
      `there is no attempt 2 of ${id}: it has had 1 attempt`,
    );
  });

  it('ends at once where the task ended without an attempt', async () => {
    const { engine, submit } = await onlineEngine();
    const id = await submit({ hold: true });
    const all = text(await engine.log(id, { stream: 'both', follow: true }));
    await engine.cancel(id);
    expect(await all).toBe('');
  });
});
