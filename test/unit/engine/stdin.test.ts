import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Typed } from '../../../server/engine/service.ts';
import { onlineEngine, settled } from './fixture.ts';

const letters = (data: string, rest: Partial<Typed> = {}): Typed => ({
  attempt: 1,
  offset: 0,
  data: Buffer.from(data),
  end: false,
  ...rest,
});

/** An engine with a task whose stdin is open, and that has been given a place. */
async function placed(input: { retries?: number; hold?: boolean } = {}) {
  const made = await onlineEngine();
  const id = await made.submit({ name: 'cat', stdin: 'open', ...input });
  await settled();
  const begin = async (key: string) => {
    made.host.reports.started(key);
    await settled();
    made.host.takeOrders();
  };
  const end = async (key: string, exitCode: number) => {
    made.host.end(key, exitCode);
    await settled();
  };
  const type = (typed: Typed, signal = new AbortController().signal) => made.engine.type(id, typed, signal);
  return { ...made, id, begin, end, type };
}

/** What has come of it by now. */
async function soon<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await settled();
  return Promise.race([promise, setImmediate('pending' as const)]);
}

describe('R36 typing into a task', () => {
  it('opens the stdin of those that ask for it, and is refused for all others', async () => {
    const { engine, host, submit } = await placed();
    const other = await submit({ name: 'other' });
    await settled();
    expect(host.starts.map(({ stdin }) => stdin)).toEqual(['open', 'empty']);
    const refused = engine.type(other, letters('x'), new AbortController().signal);
    await expect(refused).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(other) });
    const unknown = engine.type('nobody', letters('x'), new AbortController().signal);
    await expect(unknown).rejects.toMatchObject({ code: 'notFound' });
  });

  it('goes to the attempt that runs, at its offset', async () => {
    const { host, begin, type } = await placed();
    await begin('1.1');
    expect(await type(letters('one'))).toEqual({ attempt: 1, open: true });
    expect(await type(letters('two', { attempt: null, offset: 3 }))).toEqual({ attempt: 1, open: true });
    expect(host.takeOrders()).toEqual(['input 1.1 0 one', 'input 1.1 3 two']);
  });

  it('waits until the task runs', async () => {
    const { host, begin, type } = await placed();
    const typed = type(letters('', { attempt: null }));
    expect(await soon(typed)).toBe('pending');
    expect(host.takeOrders()).toEqual(['start 1.1']);
    await begin('1.1');
    expect(await typed).toEqual({ attempt: 1, open: true });
  });

  it('stops waiting when whoever types has gone', async () => {
    const { type, host, begin } = await placed({ hold: true });
    const gone = new AbortController();
    const typed = type(letters('x', { attempt: null }), gone.signal);
    gone.abort();
    await expect(typed).rejects.toThrow();
    await begin('1.1');
    expect(host.takeOrders()).toEqual([]);
  });

  it('does not go to another attempt than the one meant', async () => {
    const { host, begin, end, type } = await placed({ retries: 1 });
    await begin('1.1');
    await end('1.1', 1);
    await begin('1.2');
    expect(await type(letters('for the first'))).toEqual({ attempt: 2, open: true });
    expect(host.takeOrders()).toEqual([]);
    expect(await type(letters('x', { attempt: 2 }))).toEqual({ attempt: 2, open: true });
    expect(host.takeOrders()).toEqual(['input 1.2 0 x']);
  });

  it('waits for the next attempt where the present one takes no more', async () => {
    const { host, begin, end, type } = await placed({ retries: 1 });
    await begin('1.1');
    host.input = async () => false;
    const typed = type(letters('x'));
    expect(await soon(typed)).toBe('pending');
    await end('1.1', 1);
    expect(await soon(typed)).toBe('pending');
    await begin('1.2');
    expect(await typed).toEqual({ attempt: 2, open: true });
  });

  it('is over when the command has ended for good, whether sub-tasks go on or not', async () => {
    const { host, begin, end, type, submit } = await placed();
    await begin('1.1');
    const environment = { set: {}, unset: [] };
    await submit({ name: 'child' }, { parent: 1, attempt: 1, environment });
    host.input = async () => false;
    const typed = type(letters('x'));
    expect(await soon(typed)).toBe('pending');
    await end('1.1', 0);
    expect(await typed).toEqual({ attempt: 1, open: false });
    host.reports.started('2.1');
    await end('2.1', 0);
    expect(await type(letters('x'))).toEqual({ attempt: 1, open: false });
  });

  it('is over where the task never ran', async () => {
    const { engine, id, type } = await placed({ hold: true });
    const typed = type(letters('x', { attempt: null }));
    await engine.cancel(id);
    expect(await typed).toEqual({ attempt: null, open: false });
  });
});

describe('R36 the end of what is typed', () => {
  it('comes after it, and is answered when the task has ended', async () => {
    const { host, begin, end, type } = await placed();
    await begin('1.1');
    const typed = type(letters('last', { end: true }));
    expect(await soon(typed)).toBe('pending');
    expect(host.takeOrders()).toEqual(['input 1.1 0 last end']);
    await end('1.1', 0);
    expect(await typed).toEqual({ attempt: 1, open: false });
    expect(host.takeOrders()).toEqual([]);
  });

  it('is that of all attempts to come', async () => {
    const { host, begin, end, type } = await placed({ retries: 2 });
    await begin('1.1');
    const typed = type(letters('last', { offset: 7, end: true }));
    await settled();
    expect(host.takeOrders()).toEqual(['input 1.1 7 last end']);
    for (const key of ['1.2', '1.3']) {
      await end(`1.${Number(key.at(-1)) - 1}`, 1);
      host.takeOrders();
      host.reports.started(key);
      await settled();
      expect(host.takeOrders()).toEqual([`input ${key} 0  end`]);
    }
    await end('1.3', 1);
    expect(await typed).toEqual({ attempt: 3, open: false });
  });

  it('comes also when whoever typed has gone before the task runs', async () => {
    const { host, engine, id, type } = await placed({ hold: true });
    const gone = new AbortController();
    const typed = type(letters('typed', { attempt: null, end: true }), gone.signal);
    await settled();
    gone.abort();
    await engine.release(id);
    await settled();
    host.reports.started('1.1');
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1', 'input 1.1 0 typed end']);
    host.end('1.1');
    expect(await typed).toEqual({ attempt: 1, open: false });
  });
});
