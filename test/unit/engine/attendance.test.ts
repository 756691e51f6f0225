import { describe, expect, it } from 'vitest';
import { onlineEngine, settled } from './fixture.ts';

/** An engine with a task whose stdin is open and whose first attempt runs. */
async function running(retries = 0) {
  const made = await onlineEngine();
  const id = await made.submit({ name: 'cat', stdin: 'open', retries });
  await settled();
  const begin = async (key: string) => {
    made.host.reports.started(key);
    await settled();
    made.host.takeOrders();
  };
  const pass = async (milliseconds: number) => {
    made.timers.advance(milliseconds);
    await settled();
    return made.host.takeOrders();
  };
  await begin('1.1');
  return { ...made, id, begin, pass };
}

describe('R36 a stdin', () => {
  it('stays open while somebody waits for the task, and is ended soon after the last has gone', async () => {
    const { engine, id, pass } = await running();
    const waits = [new AbortController(), new AbortController()];
    const ends = waits.map(({ signal }) => engine.whenDone(id, signal).catch(() => {}));
    expect(await pass(60_000)).toEqual([]);
    waits[0]?.abort();
    expect(await pass(60_000)).toEqual([]);
    waits[1]?.abort();
    await Promise.all(ends);
    expect(await pass(4_000)).toEqual([]);
    expect(await pass(1_000)).toEqual(['input 1.1 0  end']);
    expect(await pass(60_000)).toEqual([]);
  });

  it('stays open for those who come back in time', async () => {
    const { engine, id, pass } = await running();
    for (let i = 0; i < 3; i++) {
      expect(await pass(4_000)).toEqual([]);
      const gone = new AbortController();
      const waiting = engine.whenDone(id, gone.signal).catch(() => {});
      gone.abort();
      await waiting;
    }
  });

  it('of each attempt is ended where nobody waits, also of one that follows by retry', async () => {
    const { engine, host, id, begin, pass } = await running(1);
    expect(await pass(5_000)).toEqual(['input 1.1 0  end']);
    host.end('1.1', 1);
    await settled();
    await begin('1.2');
    expect(await pass(5_000)).toEqual(['input 1.2 0  end']);
    host.end('1.2', 1);
    await settled();
    await engine.retry(id);
    await settled();
    await begin('1.3');
    expect(await pass(5_000)).toEqual(['input 1.3 0  end']);
  });

  it('of an attempt that has ended meanwhile is left alone', async () => {
    const { host, pass } = await running();
    host.end('1.1');
    await settled();
    host.takeOrders();
    expect(await pass(60_000)).toEqual([]);
  });

  it('is that of one command: shards have none', async () => {
    const { host, submit, pass } = await running();
    host.starts.length = 0;
    await submit({ stdin: 'open', shards: { total: 2, limit: null } });
    await settled();
    expect(host.starts.map(({ stdin }) => stdin)).toEqual(['empty', 'empty']);
    await pass(5_000);
  });
});
