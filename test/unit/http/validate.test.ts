import { expect, it } from 'vitest';
import { validate } from '../../../server/http/validate.ts';
import { pruneRequestSchema } from '../../../server/protocol/queries.ts';
import { submitRequestSchema } from '../../../server/protocol/tasks.ts';

const task = { command: ['true'], directory: '/tmp' };

function complaint(value: unknown, schema: typeof submitRequestSchema | typeof pruneRequestSchema): string {
  try {
    validate(schema, value, 'the request body');
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid' });
    return (error as Error).message;
  }
  throw new Error('the value passed');
}

it('gives the value with its defaults', () => {
  const { tasks, dryRun } = validate(submitRequestSchema, { tasks: [task] }, 'the request body');
  expect(dryRun).toBe(false);
  expect(tasks[0]).toMatchObject({ ...task, priority: 0, dependencies: [] });
});

it.each([
  [{ tasks: [{ ...task, comand: 1 }] }, '"comand" is unknown in tasks[0]; did you mean "command"?'],
  [{ taks: [task] }, '"taks" is unknown; did you mean "tasks"?'],
  [
    { tasks: [{ ...task, shards: { xyz: 1 } }] },
    '"xyz" is unknown in tasks[0].shards; the keys are total, limit.',
  ],
  [{}, 'tasks is missing.'],
  [null, 'the value is null; expected object, received null.'],
  [{ tasks: [] }, 'tasks is []; expected array to have >=1 items.'],
  [
    { tasks: [{ ...task, priority: 'high' }] },
    'tasks[0].priority is "high"; expected number, received string.',
  ],
  [{ tasks: [{ ...task, directory: 'a' }] }, 'tasks[0].directory is "a"; must be an absolute path.'],
  [{ tasks: [{ ...task, command: ['a\0'] }] }, 'tasks[0].command[0] ("a\\u0000") must not hold a NUL byte.'],
  [
    { tasks: [{ ...task, dependencies: [{ kind: 'sucess', name: 'a' }] }] },
    'tasks[0].dependencies[0].kind is "sucess"; did you mean "success"?',
  ],
  [
    { tasks: [{ ...task, dependencies: [{ kind: 'often', name: 'a' }] }] },
    'tasks[0].dependencies[0].kind is "often"; expected one of success, fail, any.',
  ],
  [{ tasks: [{ ...task, dependencies: [{ name: 'a' }] }] }, 'tasks[0].dependencies[0].kind is missing.'],
  [
    { tasks: [{ ...task, variables: { 'a=b': '' } }] },
    'the key "a=b" of tasks[0].variables is not the name of a variable.',
  ],
  [
    { tasks: [{ ...task, labels: { '': '' } }] },
    'the key "" of tasks[0].labels is wrong; expected string to have >=1 characters.',
  ],
])('names what is wrong with %j', (value, message) => {
  expect(complaint(value, submitRequestSchema)).toBe(`In the request body, ${message}`);
});

it('says what a time should be', () => {
  expect(complaint({ before: 'yesterday' }, pruneRequestSchema)).toBe(
    'In the request body, before is "yesterday"; expected an ISO datetime.',
  );
});

it('shortens a long value', () => {
  const message = complaint({ tasks: [{ ...task, command: ['x'.repeat(10_000_000)] }] }, submitRequestSchema);
  expect(message).toMatch(
    /^In the request body, tasks\[0\]\.command\[0\] \("xxx+…\) is longer than 131071 bytes/,
  );
  expect(message.length).toBeLessThan(250);
});
