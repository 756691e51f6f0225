import { describe, expect, it, vi } from 'vitest';
import type { Publication } from '../../../server/engine/service.ts';
import { submissionSchema } from '../../../server/protocol/tasks.ts';
import { nobody, onlineEngine, settled } from './fixture.ts';

const never = new AbortController().signal;

describe('the one way round', () => {
  it('R2 answers, publishes and starts only what is durable', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    const published: Publication[] = [];
    engine.subscribe((publication) => published.push(publication));
    ledger.hold();
    const answer = vi.fn();
    const submitted = submit({ name: 'a' }).then(answer);
    const read = vi.fn();
    const listed = engine.list({ limit: 10 }).then(read);
    await settled();
    expect([host.takeOrders(), published, answer.mock.calls, engine.sequence]).toEqual([[], [], [], 0]);
    ledger.release();
    await Promise.all([submitted, listed]);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
    expect(published).toEqual([{ type: 'tasks', sequence: 3, changed: new Set([1]), removed: [] }]);
    expect(read).toHaveBeenCalledOnce();
  });

  it('R26 stops only when the order is durable, and does not start what was cancelled meanwhile', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    ledger.hold();
    const submitted = submit({ name: 'a' });
    await settled();
    const cancelled = engine.cancel('a');
    await settled();
    expect(host.takeOrders()).toEqual([]);
    ledger.release();
    await Promise.all([submitted, cancelled]);
    await settled();
    expect(host.takeOrders()).toEqual(['stop 1.1']);
  });

  it('tells all listeners, and the hosts, though one listener fails', async () => {
    const { engine, host, log, submit } = await onlineEngine();
    const heard: number[] = [];
    engine.subscribe(() => {
      throw new Error('a bug');
    });
    engine.subscribe((publication) => publication.type === 'tasks' && heard.push(publication.sequence));
    await submit();
    await submit();
    await settled();
    expect(heard).toHaveLength(2);
    expect(host.takeOrders()).toEqual(['start 1.1', 'start 2.1']);
    expect(log.join()).toContain('a bug');
  });

  it('R10 tells clients whom a dependency has found, of many the first', async () => {
    const { engine, submit } = await onlineEngine();
    const ids: string[] = [];
    for (let at = 0; at < 25; at++) ids.push(await submit({ name: `x-${at}` }));
    const one = await submit({ dependencies: [{ kind: 'any', name: 'x-3' }] });
    const many = await submit({ dependencies: [{ kind: 'any', name: 'x-*' }] });
    expect((await engine.find(one)).dependencies).toMatchObject([{ tasks: [ids[3]], count: 1 }]);
    expect((await engine.find(many)).dependencies).toMatchObject([{ tasks: ids.slice(0, 20), count: 25 }]);
  });

  it('tells clients whether a task is held', async () => {
    const { engine, submit } = await onlineEngine();
    const id = await submit({ hold: true });
    expect((await engine.list({ limit: 1 })).tasks).toMatchObject([{ id, held: true }]);
    await engine.release(id);
    expect(await engine.find(id)).toMatchObject({ id, held: false });
  });

  it('says that nothing is to be done only when what it says is durable', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    ledger.hold();
    host.end('1.1');
    const answer = vi.fn();
    const cancelled = engine.cancel(id).then(answer);
    await settled();
    expect(answer).not.toHaveBeenCalled();
    ledger.release();
    await cancelled;
    expect(answer).toHaveBeenCalledWith({ id, changed: false, message: `${id} is done already: SUCCESS` });
  });
});

describe('submitting', () => {
  const submission = (input: object) =>
    submissionSchema.parse({ command: ['true'], directory: '/', ...input });

  it('R4 R10 takes several in order, each with its own answer', async () => {
    const { engine, state } = await onlineEngine();
    const all = [{ name: 'a', key: 'k' }, { pool: 'nowhere' }, { name: 'c', key: 'k' }, { name: 'd' }].map(
      submission,
    );
    const results = await engine.submit(all, nobody, { dryRun: false });
    expect(results.map((result) => ('error' in result ? result.error.code : result.id.slice(0, 1)))).toEqual([
      'a',
      'refused',
      'a',
      'd',
    ]);
    expect(state.tasks.size).toBe(2);
  });

  it('R35 refuses a directory in the form of another kind of machine', async () => {
    const { submit } = await onlineEngine();
    await expect(submit({ directory: 'C:\\work' })).rejects.toThrow('is no absolute path of this machine');
  });

  it('makes nothing when only tried', async () => {
    const { engine, ledger } = await onlineEngine();
    const [result] = await engine.submit([submission({ name: 'a' })], nobody, { dryRun: true });
    expect(result).toMatchObject({ id: expect.stringMatching(/^a-/) });
    expect(ledger.events).toEqual([]);
  });

  it('R34 keeps equal environments once, and hands what the submitter changed on', async () => {
    const { engine, ledger, host } = await onlineEngine();
    const environment = { set: { A: '1' }, unset: ['B'] };
    for (const name of ['a', 'b']) {
      await engine.submit([submission({ name })], { ...nobody, environment }, { dryRun: false });
    }
    await settled();
    expect(ledger.events.filter((event) => event.type === 'environment')).toHaveLength(1);
    expect(host.starts.map((order) => order.environment)).toEqual([environment, environment]);
  });
});

describe('a full disk', () => {
  it('refuses submissions and readings, keeps reports, and goes on by itself when there is room', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    const first = await submit({ name: 'first' });
    await submit({ name: 'second', dependencies: [{ kind: 'success', name: 'first' }] });
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
    ledger.fill();
    await expect(submit({ name: 'third' })).rejects.toThrow('the disk is full');
    await expect(engine.cancel(first)).rejects.toThrow('the disk is full');
    expect(await engine.find(first)).toMatchObject({ status: 'STARTING' });
    host.reports.started('1.1');
    host.end('1.1');
    await settled();
    await expect(engine.find(first)).rejects.toThrow('the disk is full');
    expect(host.takeOrders()).toEqual([]);
    ledger.release();
    await settled();
    expect(host.takeOrders()).toEqual(['start 2.1']);
    expect(await engine.find(first)).toMatchObject({ status: 'SUCCESS' });
  });

  it('R31 a broken one neither crashes nor carries out anything more', async () => {
    const { engine, host, ledger, log, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    host.takeOrders();
    ledger.break();
    host.reports.started('1.1');
    host.end('1.1');
    await settled();
    expect(log.join()).toContain('the disk is broken');
    await expect(submit()).rejects.toThrow('the disk is broken');
    expect(host.takeOrders()).toEqual([]);
    expect(engine.server().problem).toBe('the disk is broken');
    expect(await engine.find(id)).toMatchObject({ status: 'STARTING' });
  });
});

describe('whenDone', () => {
  it('R3 R16 resolves with the final view as soon as that is durable', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    ledger.hold();
    host.end('1.1', 3);
    const resolved = vi.fn();
    const waiting = engine.whenDone(id, never).then(resolved);
    await settled();
    expect(resolved).not.toHaveBeenCalled();
    ledger.release();
    await waiting;
    expect(resolved).toHaveBeenCalledWith(expect.objectContaining({ status: 'FAILURE', exitCode: 3 }));
  });

  it('resolves for all that wait, and at once for who comes later', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    const waiting = Array.from({ length: 3 }, () => engine.whenDone(id, never));
    host.end('1.1');
    const views = await Promise.all([...waiting, engine.whenDone(id, never)]);
    expect(views.map((view) => view.status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
  });

  it('rejects when its signal aborts, before or while it waits', async () => {
    const { engine, submit } = await onlineEngine();
    const id = await submit();
    await expect(engine.whenDone(id, AbortSignal.abort())).rejects.toThrow('aborted');
    const controller = new AbortController();
    const waiting = engine.whenDone(id, controller.signal);
    await settled();
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});

describe('what a client missed', () => {
  it('is told from where it stopped, with what was removed', async () => {
    const { engine, host, submit } = await onlineEngine();
    const gone = await submit({ name: 'gone' });
    await settled();
    host.end('1.1');
    await settled();
    const before = engine.sequence;
    await submit({ name: 'kept' });
    expect(engine.changedSince(before)).toEqual({ changed: new Set([2]), removed: [] });
    const pruned = await engine.prune({ before: Number.POSITIVE_INFINITY, keep: 0 });
    await settled();
    expect(pruned).toEqual({ removed: [gone] });
    expect(engine.changedSince(before)).toEqual({ changed: new Set([2]), removed: [gone] });
    expect(engine.changedSince(engine.sequence)).toEqual({ changed: new Set(), removed: [] });
    expect(engine.changedSince(engine.sequence + 1)).toBeNull();
    expect(host.takeOrders()).toContain('forget 1.1');
    await expect(engine.whenDone(gone, never)).rejects.toMatchObject({ code: 'notFound' });
  });

  it('cannot be told after too many removals', async () => {
    const { engine, host, submit } = await onlineEngine();
    const start = engine.sequence;
    for (let number = 1; number <= 101; number++) {
      await submit();
      await settled();
      host.end(`${number}.1`);
      await engine.prune({ before: Number.POSITIVE_INFINITY, keep: 0 });
      await settled();
    }
    expect(engine.changedSince(start)).toBeNull();
    expect(engine.changedSince(engine.sequence)).not.toBeNull();
  });

  it('keeps a run that another one, not done yet, waits for', async () => {
    const { engine, host, submit } = await onlineEngine();
    await submit({ name: 'up' });
    await submit({ name: 'other' });
    await submit({
      name: 'down',
      dependencies: [
        { kind: 'success', name: 'up' },
        { kind: 'any', name: 'other' },
      ],
    });
    await settled();
    host.end('1.1');
    expect((await engine.prune({ before: Number.POSITIVE_INFINITY, keep: 0 })).removed).toEqual([]);
    host.end('2.1');
    await settled();
    host.end('3.1');
    expect((await engine.prune({ before: Number.POSITIVE_INFINITY, keep: 1 })).removed).toHaveLength(2);
  });
});
