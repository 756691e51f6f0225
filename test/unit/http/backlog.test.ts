import { expect, it } from 'vitest';
import { Backlog } from '../../../server/http/backlog.ts';

const describeAll = (number: number) => ({ id: `run-${number}`, text: `{"id":"run-${number}"}` });
const numbers = Array.from({ length: 600 }, (_, i) => i);

/** The messages that are left, with the number of tasks in the place of the tasks. */
function drain(backlog: Backlog, describe: Parameters<Backlog['take']>[0]): unknown[] {
  const messages: unknown[] = [];
  for (let text = backlog.take(describe); text !== null; text = backlog.take(describe)) {
    const message = JSON.parse(text);
    messages.push(message.type === 'tasks' ? { ...message, tasks: message.tasks.length } : message);
  }
  expect(backlog.isEmpty).toBe(true);
  return messages;
}

it('says where to resume even where nothing is left to tell of the rest of a picture', () => {
  const backlog = new Backlog(7, null, null);
  backlog.add(7, numbers, []);
  expect(drain(backlog, (number) => (number < 500 ? describeAll(number) : null))).toEqual([
    { type: 'hello', sequence: 7, reset: true },
    { type: 'tasks', sequence: 0, tasks: 500, removed: [] },
    { type: 'tasks', sequence: 7, tasks: 0, removed: [] },
  ]);
});

it('spreads many removed ids over several messages', () => {
  const backlog = new Backlog(7, 3, null);
  const ids = Array.from({ length: 4 }, (_, i) => String(i).repeat(100_000));
  backlog.add(8, [1], ids);
  expect(drain(backlog, describeAll)).toMatchObject([
    { type: 'hello' },
    { sequence: 3, tasks: 0, removed: ids.slice(0, 3) },
    { sequence: 8, tasks: 1, removed: ids.slice(3) },
  ]);
});

it('tells the newest state of the hosts once, after the tasks', () => {
  const backlog = new Backlog(7, 3, null);
  backlog.setHosts('{"type":"hosts","hosts":[1]}');
  backlog.setHosts('{"type":"hosts","hosts":[2]}');
  backlog.add(8, [1], []);
  const [, , ...rest] = drain(backlog, describeAll);
  expect(rest).toEqual([{ type: 'hosts', hosts: [2] }]);
});

it('knows to the end where a client can resume', () => {
  const backlog = new Backlog(7, 3, null);
  backlog.add(7, numbers, []);
  const farewell = () => JSON.parse(backlog.farewell());
  backlog.take(describeAll);
  backlog.take(describeAll);
  expect(farewell()).toEqual({ type: 'dropped', sequence: 3 });
  backlog.take(describeAll);
  expect(farewell()).toEqual({ type: 'dropped', sequence: 7 });
});
