import { expect, it } from 'vitest';
import { stacked } from '../../../webview/state/stacks.ts';
import { countsText } from '../../../webview/state/statuses.ts';
import { applyEvent } from '../../../webview/state/tasks.ts';
import { child, runOf, tell } from './fixture.ts';

it('keeps the same object for a task, its place and its children, whatever changes', () => {
  const tasks = runOf([child('a'), child('b')]);
  const a = tasks.byId.get('r/a');
  const change = tell(tasks, [child('a', '', { status: 'RUNNING' })]);
  expect(change).toEqual({ structure: false, changed: [a] });
  expect(tasks.byId.get('r')?.children.map(({ task }) => task.status)).toEqual(['RUNNING', 'PENDING']);
});

it('says when the picture has to be laid out anew', () => {
  const tasks = runOf([child('a'), child('b', 'any:?late')]);
  expect(tell(tasks, [child('c')]).structure).toBe(true);
  expect(tell(tasks, [child('b', 'any:late')]).structure).toBe(true);
  expect(tell(tasks, [child('a', '', { children: { total: 1, done: 0, failed: 0 } })]).structure).toBe(true);
  expect(tell(tasks, [], ['r/a']).structure).toBe(true);
  expect(tasks.byId.get('r')?.children.length).toBe(2);
  expect(applyEvent(tasks, { type: 'reset' }).structure).toBe(true);
  expect(tasks.byId.size).toBe(0);
});

it('stacks more than a dozen that run the same and wait for the same, and counts them as they change', () => {
  const lanes = Array.from({ length: 13 }, (_, at) => [
    child(`load-${at}`, '', { command: ['python', 'load.py', String(at)] }),
    child(`train-${at}`, `success:load-${at}`, { command: ['python', 'train.py', String(at)] }),
  ]).flat();
  const tasks = runOf([...lanes, child('report', 'success:train-*=+13')]);
  const groups = stacked(tasks.byId.get('r')?.children ?? []);
  expect(
    groups.map((group) => ('members' in group ? `${group.members.length} × ${group.name}` : group.task.name)),
  ).toEqual(['13 × load', '13 × train', 'report']);
  const [load] = groups;
  if (load === undefined || !('members' in load)) throw new Error('no stack');
  tell(tasks, [child('load-3', '', { status: 'SUCCESS' }), child('load-4', '', { status: 'FAILURE' })]);
  expect(countsText(load.counts)).toBe('1 done · 1 failed · 11 waiting');
});

it('leaves a dozen alone', () => {
  const tasks = runOf(Array.from({ length: 12 }, (_, at) => child(`a-${at}`, '', { command: ['same'] })));
  expect(stacked(tasks.byId.get('r')?.children ?? []).length).toBe(12);
});
