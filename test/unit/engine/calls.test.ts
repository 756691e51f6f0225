import { describe, expect, it } from 'vitest';
import { onlineEngine, settled } from './fixture.ts';

/** An engine with a run whose script runs as attempt 1.1. */
async function withScript() {
  const made = await onlineEngine();
  const id = await made.submit({ name: 'script' });
  await settled();
  made.host.reports.started('1.1');
  await settled();
  made.host.takeOrders();
  return { ...made, id };
}

describe('nested calls', () => {
  it('R2 vbatch answers with the id of a child, which starts', async () => {
    const { host, id } = await withScript();
    host.call('1.1', 'c1', 'vbatch', '--name', 'child', 'true');
    await settled();
    expect(host.answers).toEqual([`1.1/c1 0 ${id}/child`]);
    expect(host.takeOrders()).toEqual(['start 2.1']);
  });

  it('R33 are taken in the order in which they came', async () => {
    const { host, id } = await withScript();
    for (let i = 0; i < 20; i++) host.call('1.1', `c${i}`, 'vbatch', '--name', 'part', 'true');
    await settled();
    expect(host.answers).toEqual(
      Array.from({ length: 20 }, (_, i) => `1.1/c${i} 0 ${id}/part${i === 0 ? '' : `_${i + 1}`}`),
    );
  });

  it('R4 repeated after a restart are the same task', async () => {
    const { host, id, state } = await withScript();
    for (let i = 0; i < 2; i++) host.call('1.1', 'c1', 'vbatch', '--name', 'child', 'true');
    await settled();
    expect(host.answers).toEqual([`1.1/c1 0 ${id}/child`, `1.1/c1 0 ${id}/child`]);
    expect(state.tasks.size).toBe(2);
  });

  it('R3 vrun answers when its task is done, once, with its code and all it wrote, and holds up no other call', async () => {
    const { host, id } = await withScript();
    host.call('1.1', 'c1', 'vrun', '--name', 'first', 'x');
    host.call('1.1', 'c2', 'vbatch', '--name', 'second', 'x');
    await settled();
    expect(host.answers).toEqual([`1.1/c2 0 ${id}/second`]);
    host.reports.started('2.1');
    host.write('2.1', 'stdout', 'out');
    host.write('2.1', 'stderr', 'err');
    await settled();
    host.write('2.1', 'stdout', 'put');
    host.end('2.1', 3);
    await settled();
    expect(host.answers.slice(1)).toEqual(['1.1/c1 3 ']);
    expect(Object.fromEntries(host.fed)).toEqual({ '1.1/c1 stdout': 'output', '1.1/c1 stderr': 'err' });
    expect(host.watching).toBe(0);
  });

  it('R3 vrun still answers with the code where the output cannot be read', async () => {
    const { host, log } = await withScript();
    host.beforeRead = () => Promise.reject(new Error('gone'));
    host.call('1.1', 'c1', 'vrun', 'x');
    await settled();
    host.write('2.1', 'stdout', 'out');
    await settled();
    expect(host.answers).toEqual([]);
    host.end('2.1', 4);
    await settled();
    expect(host.answers).toEqual(['1.1/c1 4 ']);
    expect(log.join()).toContain('stdout');
  });

  it('R3 vrun that is told to end takes its task along, and is answered when that has ended', async () => {
    const { host } = await withScript();
    const leave = host.call('1.1', 'c1', 'vrun', 'x');
    await settled();
    host.reports.started('2.1');
    await settled();
    host.takeOrders();
    leave();
    await settled();
    expect(host.takeOrders()).toEqual(['stop 2.1']);
    expect(host.answers).toEqual([]);
    host.end('2.1', 143, 'TERM');
    await settled();
    expect(host.answers).toEqual(['1.1/c1 143 ']);
  });

  it('R3 vrun that is told to end before it is heard of has its task cancelled before that starts', async () => {
    const { host, state } = await withScript();
    host.call('1.1', 'c1', 'vrun', '--hold', 'x')();
    await settled();
    expect(host.answers).toEqual(['1.1/c1 125 ']);
    expect(state.tasks.get(2)?.phase).toMatchObject({ kind: 'done' });
  });

  it('R3 vrun that is told to end after its task changes nothing, and neither does a vbatch', async () => {
    const { host, log } = await withScript();
    const late = host.call('1.1', 'c1', 'vrun', 'x');
    await settled();
    host.reports.started('2.1');
    host.end('2.1');
    await settled();
    late();
    const waiting = host.call('1.1', 'c2', 'vbatch', '--wait', 'x');
    await settled();
    host.takeOrders();
    waiting();
    await settled();
    expect(host.takeOrders()).toEqual([]);
    expect(host.answers).toEqual(['1.1/c1 0 ']);
    expect(log).toEqual([]);
  });

  it('R5 R11 that are wrong or refused get one answer, and the next ones theirs', async () => {
    const { host } = await withScript();
    host.call('1.1', 'c1', 'vbatch', '--nonsense', 'true');
    host.call('1.1', 'c2', 'vbatch', '-P', 'nowhere', 'true');
    host.call('8.1', 'c3', 'vbatch', 'true');
    host.call('1.2', 'c4', 'vbatch', 'true');
    await settled();
    expect(host.answers.map((answer) => answer.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      '1.1/c1 2',
      '1.1/c2 1',
      '1.2/c4 1',
      '8.1/c3 1',
    ]);
  });
});
