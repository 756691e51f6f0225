import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../extension/tree/entries.ts';
import { filterOf, noChoice } from '../../../../extension/tree/filter.ts';
import type { TaskNode } from '../../../../extension/tree/look.ts';
import { childrenOf, parentOf } from '../../../../extension/tree/taskNodes.ts';
import { TaskStore } from '../../../../extension/tree/taskStore.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { fanOut, labels, task, told } from './support.ts';

function storeOf(tasks: readonly TaskView[]): TaskStore {
  const store = new TaskStore();
  store.setFilter(null);
  store.take(told(tasks));
  return store;
}

/** Every task of the tree, by walking it as a person would. */
function reachable(store: TaskStore, node: TaskNode | null = null): string[] {
  return childrenOf(store, node).flatMap((child) => [
    ...(child.kind === 'task' ? [child.id] : []),
    ...reachable(store, child),
  ]);
}

describe('the tree of tasks', () => {
  it('shows runs newest first and children in order of submission, to any depth', () => {
    const deep = ['a', 'a/b', 'a/b/c', 'a/b/c/d'].map((id) => task(id));
    const store = storeOf([...deep, task('z'), task('z/2'), task('z/1')]);
    expect(reachable(store)).toEqual(['z', 'z/2', 'z/1', 'a', 'a/b', 'a/b/c', 'a/b/c/d']);
  });

  it('groups a large fan-out by status, then by hundreds of fixed places', () => {
    const store = storeOf(
      fanOut('run', 350, (place) => ({
        status: place < 250 ? 'SUCCESS' : place < 255 ? 'RUNNING' : 'QUEUED',
      })),
    );
    const run = store.find('run') as Entry;
    const groups = childrenOf(store, run);
    expect(labels(groups)).toEqual(['Running: 5', 'Queued: 95', 'Succeeded: 250']);
    const [running, , succeeded] = groups as [TaskNode, TaskNode, TaskNode];
    expect(labels(childrenOf(store, running))).toEqual(['250', '251', '252', '253', '254']);
    const hundreds = childrenOf(store, succeeded);
    expect(labels(hundreds)).toEqual(['1 – 100: 100', '101 – 200: 100', '201 – 300: 50']);
    store.take(told([task('run/7', { status: 'FAILURE' })]));
    // The others stay where they are: a place is a task's own.
    expect(labels(childrenOf(store, succeeded))).toEqual(['1 – 100: 99', '101 – 200: 100', '201 – 300: 50']);
    expect(childrenOf(store, succeeded).map((each, at) => each === hundreds[at])).toEqual([true, true, true]);
    expect(labels(childrenOf(store, run))).toEqual([
      'Failed: 1',
      'Running: 5',
      'Queued: 95',
      'Succeeded: 249',
    ]);
  });

  it('does not flicker between one list and hundreds where a group has about as many', () => {
    const store = storeOf(fanOut('run', 300, (place) => ({ status: place < 101 ? 'RUNNING' : 'QUEUED' })));
    const run = store.find('run') as Entry;
    const kinds = () => childrenOf(store, childrenOf(store, run)[0] as TaskNode).map(({ kind }) => kind);
    expect(kinds()).toEqual(['hundred', 'hundred']);
    store.take(told(['run/0', 'run/1', 'run/2'].map((id) => task(id, { status: 'QUEUED' }))));
    expect(kinds()).toEqual(['hundred', 'hundred']);
    store.take(told(Array.from({ length: 60 }, (_, at) => task(`run/${at}`, { status: 'QUEUED' }))));
    expect(new Set(kinds())).toEqual(new Set(['task']));
  });

  it('keeps older runs in hundreds that do not shift when new ones come', () => {
    const store = storeOf(Array.from({ length: 350 }, (_, at) => task(`r-${at}`)));
    const top = childrenOf(store, null);
    expect(top).toHaveLength(152);
    expect(labels(top.slice(-2))).toEqual(['Older runs 101 – 200: 100', 'Older runs 1 – 100: 100']);
    store.take(told([task('new')]));
    const now = childrenOf(store, null);
    expect(labels(now.slice(0, 2))).toEqual(['new', 'r-349']);
    expect(now.slice(1).every((each, at) => each === top[at])).toBe(true);
  });

  it('keeps every entry the same object over a gap, and forgets only what the new picture lacks', () => {
    const store = storeOf([task('a'), task('a/1'), task('b')]);
    const before = [...store.all()];
    store.take({ type: 'reset' });
    expect(reachable(store)).toEqual(['b', 'a', 'a/1']);
    store.take(told([task('a')], [], false));
    store.take(told([task('a/1'), task('c')]));
    expect(reachable(store)).toEqual(['c', 'a', 'a/1']);
    expect(store.find('a/1')).toBe(before[1]);
    store.take(told([], ['a/1', 'a']));
    expect([reachable(store), store.size]).toEqual([['c'], 1]);
  });

  it('shows what the filter fits, with what is above it, and keeps to that while tasks change', () => {
    const store = storeOf([...fanOut('run', 150), task('other'), task('other/x')]);
    store.setFilter(filterOf({ ...noChoice, statuses: ['FAILURE'] }, []));
    expect(reachable(store)).toEqual([]);
    store.take(told([task('run/3', { status: 'FAILURE' }), task('other/x', { status: 'FAILURE' })]));
    expect(reachable(store)).toEqual(['other', 'other/x', 'run', 'run/3']);
    store.take(told([task('other/x', { status: 'RUNNING' })]));
    expect([reachable(store), store.matches]).toEqual([['run', 'run/3'], 1]);
    store.setFilter(null);
    expect(reachable(store)).toHaveLength(153);
  });

  it('shows each task once, in a place that leads back to the top, whatever has happened', () => {
    const status = fc.constantFrom('QUEUED', 'RUNNING', 'SUCCESS', 'FAILURE', 'PENDING' as const);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), place: fc.nat(260), status }),
      fc.record({ kind: fc.constant('remove' as const), place: fc.nat(260) }),
      fc.record({ kind: fc.constant('filter' as const), statuses: fc.array(status, { maxLength: 2 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = storeOf(fanOut('run', 240));
        const statuses = new Map(Array.from({ length: 240 }, (_, at) => [`run/${at}`, 'QUEUED']));
        let wanted: readonly string[] = [];
        for (const each of steps) {
          if (each.kind === 'filter') {
            wanted = each.statuses;
            store.setFilter(filterOf({ ...noChoice, statuses: each.statuses }, []));
          } else if (each.kind === 'put') {
            statuses.set(`run/${each.place}`, each.status);
            store.take(told([task(`run/${each.place}`, { status: each.status })]));
          } else {
            statuses.delete(`run/${each.place}`);
            store.take(told([], [`run/${each.place}`]));
          }
        }
        const fitting = [...statuses].filter(([, is]) => wanted.length === 0 || wanted.includes(is));
        const seen = reachable(store).filter((id) => id !== 'run');
        expect(seen.toSorted()).toEqual(fitting.map(([id]) => id).toSorted());
        for (const id of seen) {
          let node: TaskNode | null = store.find(id) as Entry;
          while (node !== null) {
            const above: TaskNode | null = parentOf(node);
            expect(childrenOf(store, above)).toContain(node);
            node = above;
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
