import { isDeepStrictEqual } from 'node:util';
import { environmentChange } from '../../model/environment.ts';
import type { EnvironmentChange } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import {
  maxCommandBytes,
  type Submission,
  type SubmitResult,
  submitRequestSchema,
  submitResponseSchema,
} from '../../protocol/tasks.ts';
import { jsonRoute, noQuery, type Services } from '../route.ts';

export const submitRoute = jsonRoute({
  method: 'post',
  path: '/v1/tasks',
  name: 'submitTasks',
  summary: 'Submits tasks. A refused one does not stop the others; accepted means durable.',
  query: noQuery,
  body: submitRequestSchema,
  answer: submitResponseSchema,
  errors: ['tooLarge', 'stateFailed', 'diskFull'],
  async handle(services, { body: { tasks, dryRun } }) {
    tasks.forEach(checkCommandSize);
    const results: SubmitResult[] = [];
    for (const { environment, members } of await sameEnvironments(services, tasks)) {
      const submitter = { parent: null, attempt: 0, environment };
      results.push(...(await services.engine.submit(members, submitter, { dryRun })));
    }
    return { results };
  },
});

function checkCommandSize({ command }: Submission, place: number): void {
  const bytes = command.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 1, 0);
  if (bytes <= maxCommandBytes) return;
  const advice = 'put the arguments into a file that the command reads, or submit several tasks';
  throw new VbatchError(
    'tooLarge',
    `The command line of tasks[${place}] takes ${bytes} bytes, the most is ${maxCommandBytes}; ${advice}.`,
  );
}

interface Group {
  environment: EnvironmentChange;
  members: Submission[];
}

/** The submissions in their order, cut wherever the submitter's environment differs from that before. */
async function sameEnvironments(services: Services, tasks: Submission[]): Promise<Group[]> {
  const groups: Group[] = [];
  for (const task of tasks) {
    const environment = await changeOf(services, task);
    const group = groups.at(-1);
    if (group !== undefined && isDeepStrictEqual(environment, group.environment)) group.members.push(task);
    else groups.push({ environment, members: [task] });
  }
  return groups;
}

async function changeOf(services: Services, task: Submission): Promise<EnvironmentChange> {
  if (task.environment === undefined) return { set: {}, unset: [] };
  return environmentChange(await services.loginEnvironment(), task.environment);
}
