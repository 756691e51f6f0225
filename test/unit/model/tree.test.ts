import { describe, expect, it } from 'vitest';
import { record, restore, State, type TaskRecord } from '../../../server/model/state.ts';
import { World } from '../../support/world.ts';

const submitted = (world: World, notes?: string[]) => {
  const run = world.submit(null);
  world.commit({
    type: 'submitted',
    at: ++world.now,
    number: world.state.nextNumber,
    segment: 'with',
    parent: null,
    spec: run.spec,
    dependencies: [],
    held: false,
    key: null,
    tree: { folder: '/work', manifest: 'm1', ...(notes && { notes }) },
  });
  return world.task('with');
};
const report = { files: 1, bytes: 2, removed: 0, notes: ['kept'] };

describe('the workspace of a run', () => {
  it('begins as it was submitted, and survives a snapshot', () => {
    const run = submitted(new World());
    const tree = {
      folder: '/work',
      first: 'm1',
      manifest: 'm1',
      version: 0,
      landed: 'm1',
      hosts: {},
      versions: {},
      lost: [],
      left: [],
    };
    expect(run.tree).toEqual(tree);
    const restored = new State(7);
    restore(restored, [JSON.parse(JSON.stringify(record(run))) as TaskRecord]);
    expect(restored.task(run.number).tree).toEqual(tree);
  });

  it('tells how it was taken, where that matters', () => {
    expect(submitted(new World(), ['log changed']).report).toEqual({
      files: 0,
      bytes: 0,
      removed: 0,
      notes: ['log changed'],
    });
    expect(submitted(new World()).report).toBeNull();
  });

  it('is none in what earlier versions have left', () => {
    const { tree: _tree, report: _report, ...old } = record(submitted(new World()));
    const restored = new State(7);
    restore(restored, [old as TaskRecord]);
    expect(restored.task(old.number)).toMatchObject({ tree: null, report: null });
  });

  it('is what tasks have made of it, and says so', () => {
    const world = new World();
    const run = submitted(world);
    const left = { host: 'n1', place: '/there/big', path: 'big', size: 9 };
    const lost = { path: 'same', hash: 'h', size: 1, by: run.number };
    const event = { type: 'collected', at: 5, task: run.number, landed: 'l2', report, lost: [lost] } as const;
    world.commit({ ...event, lost: [lost], manifest: 'm2', host: { name: 'n1', holds: 'h2' }, left: [left] });
    world.commit({ ...event, lost: [], manifest: 'm3', host: null, left: [{ ...left, size: 10 }] });
    expect(run.tree).toMatchObject({
      first: 'm1',
      manifest: 'm3',
      version: 2,
      landed: 'l2',
      hosts: { n1: 'h2' },
      lost: [lost],
      left: [{ ...left, size: 10 }],
    });
    expect(run.report).toEqual({ files: 2, bytes: 4, removed: 0, notes: ['kept'] });
  });

  it('is handed over on a host from one run to another', () => {
    const world = new World();
    const first = submitted(world);
    world.commit({ type: 'delivered', at: 1, run: first.number, host: 'n1', manifest: 'm1', version: 0 });
    world.commit({ type: 'delivered', at: 1, run: first.number, host: 'n2', manifest: 'm1', version: 0 });
    const number = world.state.nextNumber;
    world.commit({ ...(world.events[1] as object), number, segment: 'next' } as never);
    world.commit({
      type: 'delivered',
      at: 2,
      run: number,
      host: 'n1',
      manifest: 'm1',
      version: null,
      from: first.number,
    });
    const next = world.state.task(number).tree;
    expect([first.tree?.hosts, first.tree?.versions]).toEqual([{ n2: 'm1' }, { n2: 0 }]);
    expect([next?.hosts, next?.versions]).toEqual([{ n1: 'm1' }, {}]);
  });

  it('is needed as it was when a task asked for room, and no later', () => {
    const world = new World();
    const run = submitted(world);
    world.startAll();
    const early = world.submit(run, { name: 'early' });
    const collect = (manifest: string, host: { name: string; holds: string } | null) =>
      world.commit({
        type: 'collected',
        at: 5,
        task: run.number,
        landed: 'l',
        report,
        lost: [],
        left: [],
        manifest,
        host,
      });
    collect('m2', { name: 'n1', holds: 'm2' });
    const late = world.submit(run, { name: 'late' });
    collect('m3', { name: 'n2', holds: 'other' });
    expect([early.needs, late.needs, run.tree?.version, run.tree?.versions]).toEqual([0, 1, 2, { n1: 1 }]);
  });
});
