import { expect, it } from 'vitest';
import { itemsOf, planOf } from '../../../webview/state/plan.ts';
import { itemText } from '../../../webview/state/words.ts';
import { view } from '../cli/fixture.ts';
import { child, runOf, tell } from './fixture.ts';

function planned(
  tasks: ReturnType<typeof runOf>,
  folds = new Map<string, boolean>(),
  opened = new Set<string>(),
) {
  const root = tasks.byId.get('r');
  if (root === undefined) throw new Error('no run');
  const plan = planOf(root, folds, opened);
  const texts = plan.edges.map(({ from, kind, to }) => `${from} ${kind} ${to}`.replaceAll('r/', ''));
  return {
    items: [...itemsOf(plan)].map(itemText),
    edges: texts,
    keys: [...itemsOf(plan)].map(({ key }) => key),
  };
}

it('R10 joins what depends with what the server has found for it', () => {
  const tasks = runOf([
    child('prep'),
    child('prep_2', '', { name: 'prep' }),
    child('fit', 'success:prep=prep_2 any:prep/inner=prep/inner'),
  ]);
  expect(planned(tasks).edges).toEqual(['prep_2 success fit', 'prep any fit']);
});

it('R10 joins a large fan-in, of which the server tells the first, by name, segment, glob and path', () => {
  const tasks = runOf([
    child('prep'),
    child('prep_2', '', { name: 'prep' }),
    child('x.csv'),
    child('fit', 'success:prep_2=+1 fail:*.csv=+1 any:prep/inner=+2'),
  ]);
  expect(planned(tasks).edges).toEqual([
    'prep_2 success fit',
    'x.csv fail fit',
    'prep any fit',
    'prep_2 any fit',
  ]);
});

it('R11 shows a name that nobody bears yet as a ghost, and whether somebody still waits', () => {
  const tasks = runOf([child('fit', 'success:?late')]);
  expect(planned(tasks).edges).toEqual(['ghost:late success fit'.replace('ghost:', 'ghost:')]);
  expect(planned(tasks).items.at(-1)).toBe('late, not submitted yet');
  tell(tasks, [child('fit', 'success:?late', { status: 'FAILED_UPSTREAM' })]);
  expect(planned(tasks).items.at(-1)).toBe('late, never submitted');
});

it('opens what there is room for, and what the person opens, also beside its stack', () => {
  const pipelines = Array.from({ length: 20 }, (_, at) => child(`p-${at}`, '', { command: ['p'] }));
  const inner = Array.from({ length: 20 }, (_, at) => view(`r/p-${at}/in`, 'RUNNING', { name: 'in' }));
  const tasks = runOf([...pipelines, ...inner]);
  const stack = 'stack:r/p-0';
  expect(planned(tasks).keys).toEqual(['r', stack]);
  expect(planned(tasks, new Map([['r/p-3', true]])).keys).toEqual(['r', stack, 'r/p-3', 'r/p-3/in']);
  const few = runOf([...pipelines.slice(0, 2), ...inner.slice(0, 2)]);
  expect(planned(few).keys).toEqual(['r', 'r/p-0', 'r/p-0/in', 'r/p-1', 'r/p-1/in']);
  expect(planned(few, new Map([['r/p-0', false]])).keys).toEqual(['r', 'r/p-0', 'r/p-1', 'r/p-1/in']);
});

it('does not close again what it has opened when more comes', () => {
  const wide = (count: number) =>
    Array.from({ length: count }, (_, at) => child(`w-${at}`, at === 0 ? '' : `success:w-${at - 1}`));
  const nested = [child('box'), view('r/box/in', 'RUNNING', { name: 'in' })];
  const opened = new Set<string>();
  const tasks = runOf([...wide(3), ...nested]);
  expect(planned(tasks, new Map(), opened).keys).toContain('r/box/in');
  tell(tasks, wide(200));
  expect(planned(tasks, new Map(), opened).keys).toContain('r/box/in');
});
