import { describe, expect, it } from 'vitest';
import type { GpuUse } from '../../../server/hosts/host.ts';
import { someFacts } from '../../support/fakeHost.ts';
import { makeEngine, settled } from './fixture.ts';

const gib = 1024 ** 3;
const facts = { ...someFacts, gpus: [0, 1].map(() => ({ name: 'NVIDIA T4', memory: 16 * gib })) };
const bob = { kind: 'user', name: 'bob', self: false } as const;
const free = (index: number): GpuUse => ({
  index,
  used: 0,
  total: 16 * gib,
  mayShowScreen: false,
  processes: [],
});
const taken = (index: number): GpuUse => ({ ...free(index), processes: [{ memory: 12 * gib, owner: bob }] });

/** An engine on a machine with two GPUs, of which it is told who uses them when a test says so. */
async function withGpus() {
  const made = makeEngine();
  made.host.reports.online(facts);
  await settled();
  await made.engine.pools(null);
  const reason = async (id: string) => (await made.engine.find(id)).reason;
  return { ...made, reason };
}

describe('GPUs of a host', () => {
  it('R24 are not granted before anybody has looked at who uses them', async () => {
    const { host, submit, reason } = await withGpus();
    const id = await submit({ pool: 'gpu-1' });
    await submit({ name: 'plain' });
    await settled();
    expect(host.takeOrders()).toEqual(['start 2.1']);
    expect(await reason(id)).toBe(
      'waits: GPU 0 on local is being looked at; GPU 1 on local is being looked at',
    );
    host.reports.gpuUse([free(0), free(1)]);
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
  });

  it('R19 R24 are avoided while somebody else uses them, and that is said', async () => {
    const { engine, host, submit, reason } = await withGpus();
    host.reports.gpuUse([taken(0), free(1)]);
    const [first, second] = [await submit({ pool: 'gpu-1' }), await submit({ pool: 'gpu-1' })];
    await settled();
    expect(host.starts.at(-1)?.variables.CUDA_VISIBLE_DEVICES).toBe('1');
    expect(await reason(second)).toBe('waits: GPU 0 on local is used by another user (bob), 12 GiB');
    expect((await engine.hosts())[0]?.gpus).toEqual([
      { index: 0, name: 'NVIDIA T4', memory: 16 * gib, tasks: [], other: { user: 'bob', memory: 12 * gib } },
      { index: 1, name: 'NVIDIA T4', memory: 16 * gib, tasks: [first], other: null },
    ]);
    host.reports.gpuUse([free(0), free(1)]);
    await settled();
    expect(host.starts.at(-1)?.variables.CUDA_VISIBLE_DEVICES).toBe('0');
  });

  it('R24 are granted where nothing can be found out about them', async () => {
    const { host, submit } = await withGpus();
    host.reports.gpuUse([]);
    await submit({ pool: 'gpu-2' });
    await settled();
    expect(host.takeOrders()).toEqual(['start 1.1']);
  });
});

describe('R19 a client is told', () => {
  async function told() {
    const made = await withGpus();
    const numbers: number[][] = [];
    made.engine.subscribe((publication) => {
      if (publication.type === 'tasks') numbers.push([...publication.changed]);
    });
    /** What is published within the next second. */
    const next = async () => {
      numbers.length = 0;
      made.timers.advance(1_000);
      await settled();
      return [...numbers];
    };
    return { ...made, next };
  }

  it('why the first of a line waits, whenever that changes, and nothing of those behind it', async () => {
    const { host, submit, next } = await told();
    host.reports.gpuUse([free(0), free(1)]);
    await submit({ name: 'a', pool: 'gpu-1' });
    await submit({ name: 'b', pool: 'gpu-1' });
    for (let i = 0; i < 3; i++) await submit({ pool: 'gpu-2' });
    expect(await next()).toEqual([[3]]);
    expect(await next()).toEqual([]);
    host.end('1.1');
    await settled();
    expect(await next()).toEqual([[3]]);
    host.reports.gpuUse([taken(0), free(1)]);
    expect(await next()).toEqual([[3]]);
    host.reports.gpuUse([taken(0), free(1)]);
    expect(await next()).toEqual([]);
  });

  it('that the host of a running task is out of reach, and that it is back', async () => {
    const { engine, host, submit, next } = await told();
    const id = await submit({ name: 'a' });
    await settled();
    host.reports.started('1.1');
    await settled();
    await next();
    host.reports.offline('no route');
    expect(await next()).toEqual([[1]]);
    expect((await engine.find(id)).reason).toContain('no route');
    // Whoever comes back has missed it.
    expect(engine.changedSince(engine.sequence)?.changed).toEqual(new Set([1]));
    host.reports.online(facts);
    expect(await next()).toEqual([[1]]);
    expect(await next()).toEqual([]);
  });
});
