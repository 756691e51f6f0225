import { describe, expect, it } from 'vitest';
import { someFacts } from '../../support/fakeHost.ts';
import { restored } from '../../support/indexes.ts';
import { makeEngine, onlineEngine, settled } from './fixture.ts';

describe('reports', () => {
  it('R32 that are late, repeated, or of nothing known change nothing', async () => {
    const { host, ledger, state, submit } = await onlineEngine();
    await submit({ retries: 1 });
    await settled();
    host.reports.started('1.1');
    host.reports.started('1.1');
    host.end('1.1', 1);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1', 'start 1.2']);
    const events = ledger.events.length;
    host.end('1.1', 0);
    host.reports.started('1.1');
    host.reports.lost('1.1');
    host.reports.absent('1.1');
    host.reports.absent('7.1');
    host.end('9.9');
    expect(ledger.events).toHaveLength(events);
    host.end('1.2', 0);
    host.end('1.2', 1);
    expect(state.task(1).phase).toMatchObject({ outcome: 'success' });
  });

  it('R32 of a lost attempt are followed by another, up to three, then FAILURE', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit();
    for (const attempt of ['1.1', '1.2', '1.3']) {
      await settled();
      expect(host.takeOrders()).toEqual([`start ${attempt}`]);
      host.reports.lost(attempt);
    }
    const { status, reason } = await engine.find(id);
    expect([status, reason]).toEqual(['FAILURE', expect.stringContaining('lost 3 times')]);
  });

  it('R31 of an absent attempt start it again, unless it had run: then it is lost', async () => {
    const { host, submit } = await onlineEngine();
    await submit();
    await settled();
    host.reports.absent('1.1');
    host.reports.started('1.1');
    host.reports.absent('1.1');
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1', 'start 1.1', 'start 1.2']);
  });
});

describe('a host that comes and goes', () => {
  it('R30 keeps tasks RUNNING, says since when it is away, and is asked for them when it is back', async () => {
    const { engine, host, timers, submit } = await onlineEngine();
    const id = await submit({ name: 'a' });
    await settled();
    host.reports.started('1.1');
    timers.advance(60_000);
    host.reports.offline('no route');
    timers.advance(1_000);
    host.reports.offline('still no route');
    expect(await engine.find(id)).toMatchObject({
      status: 'RUNNING',
      reason:
        'host local is not reachable (since 1970-01-01T00:01:00.000Z: still no route); its command goes on there',
    });
    await submit({ name: 'b' });
    await settled();
    host.takeOrders();
    host.reports.online(someFacts);
    await settled();
    expect(new Set(host.takeOrders())).toEqual(new Set(['check 1.1', 'start 2.1']));
  });

  it('R26 is told to stop, when it is back, what was cancelled meanwhile', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    host.reports.offline('no route');
    await engine.cancel(id);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
    host.reports.online(someFacts);
    await settled();
    expect(host.takeOrders()).toEqual(['stop 1.1']);
  });

  it('R31 is not asked for an attempt whose order is not durable yet', async () => {
    const { host, ledger, submit } = await onlineEngine();
    ledger.hold();
    const submitted = submit();
    await settled();
    host.reports.online(someFacts);
    await settled();
    expect(host.takeOrders()).toEqual([]);
    ledger.release();
    await submitted;
    await settled();
    expect(host.takeOrders()).toContain('start 1.1');
  });

  it('R26 is told to stop, when it is back, only what is cancelled for sure', async () => {
    const { engine, host, ledger, submit } = await onlineEngine();
    const id = await submit();
    await settled();
    host.reports.offline('no route');
    host.takeOrders();
    ledger.hold();
    const cancelled = engine.cancel(id);
    host.reports.online(someFacts);
    await settled();
    expect(host.takeOrders()).toEqual([]);
    ledger.release();
    await cancelled;
    await settled();
    expect(new Set(host.takeOrders())).toEqual(new Set(['stop 1.1']));
  });

  it('R31 is asked by the next server for what the last one had started', async () => {
    const first = await onlineEngine();
    await first.submit({ name: 'a' });
    await first.submit({ name: 'b', dependencies: [{ kind: 'any', name: 'a' }] });
    await settled();
    const second = makeEngine(restored(first.state));
    expect(second.host.takeOrders()).toEqual([]);
    second.host.reports.online(someFacts);
    await settled();
    expect(second.host.takeOrders()).toEqual(['check 1.1']);
  });
});

describe('R27 the time limit', () => {
  it('stops an attempt that runs too long, counted from its start', async () => {
    const { engine, host, timers, submit } = await onlineEngine();
    const id = await submit({ timeLimit: 60 });
    await settled();
    timers.advance(100_000);
    host.reports.started('1.1');
    timers.advance(59_999);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
    timers.advance(1);
    await settled();
    expect(host.takeOrders()).toEqual(['stop 1.1']);
    host.end('1.1', 143, 'TERM');
    expect(await engine.find(id)).toMatchObject({ status: 'FAILURE', reason: 'time limit' });
    expect(timers.pending).toBe(0);
  });

  it('may be longer than the longest timer', async () => {
    const { host, timers, submit } = await onlineEngine();
    await submit({ timeLimit: 40 * 24 * 3600 });
    await settled();
    host.reports.started('1.1');
    timers.advance(39 * 24 * 3600 * 1000);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
    timers.advance(24 * 3600 * 1000);
    await settled();
    expect(host.takeOrders()).toEqual(['stop 1.1']);
  });

  it('R30 fails nothing that ended in time while its host was out of reach', async () => {
    const { engine, host, timers, submit } = await onlineEngine();
    const [id] = [await submit({ timeLimit: 60 }), await submit({ timeLimit: 60 })];
    await settled();
    host.reports.started('1.1');
    host.reports.started('2.1');
    host.reports.offline('no route');
    timers.advance(120_000);
    host.reports.online(someFacts);
    await settled();
    host.end('1.1');
    host.reports.started('2.1');
    timers.advance(0);
    await settled();
    expect(await engine.find(id)).toMatchObject({ status: 'SUCCESS' });
    expect(host.takeOrders()).toEqual(['start 1.1', 'start 2.1', 'check 1.1', 'check 2.1', 'stop 2.1']);
  });

  it('R31 fails nothing that ended in time while no server ran', async () => {
    const first = await onlineEngine();
    const id = await first.submit({ timeLimit: 60 });
    await settled();
    first.host.reports.started('1.1');
    await settled();
    const second = makeEngine(restored(first.state));
    second.timers.advance(120_000);
    second.host.reports.online(someFacts);
    await settled();
    second.host.end('1.1');
    await settled();
    expect(second.state.task(second.state.byId.get(id) ?? 0).phase).toMatchObject({ outcome: 'success' });
  });
});
