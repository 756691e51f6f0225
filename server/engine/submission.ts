/** From what a client sends to what the model decides on. */
import { createHash } from 'node:crypto';
import type { Pool } from '../config/configuration.ts';
import { segmentOf, taskName } from '../model/naming.ts';
import type { SubmissionRequest } from '../model/submit.ts';
import type { EnvironmentChange, TaskNumber } from '../model/task.ts';
import type { Submission } from '../protocol/tasks.ts';

/** The key under which equal environments are kept once. */
export function environmentKey(change: EnvironmentChange): string {
  const set = Object.entries(change.set).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([set, [...change.unset].sort()]))
    .digest('hex')
    .slice(0, 24);
}

export interface Context {
  pool: Pool;
  workspace: string | null;
  environment: string;
  parent: TaskNumber | null;
  attempt: number;
  /** The working directory, as it is called on this machine. */
  directory: string;
  tree: SubmissionRequest['tree'];
  /** Which results come back; undefined for all. */
  outputs: string[] | undefined;
}

/** A checked submission in the model's words. */
export function submissionRequest(submission: Submission, context: Context): SubmissionRequest {
  const name = submission.name ?? taskName(submission.command);
  const { cpus, gpus, memory } = submission;
  return {
    segment: segmentOf(name),
    dependencies: submission.dependencies,
    held: submission.hold,
    key: submission.key ?? null,
    parent: context.parent,
    attempt: context.attempt,
    tree: context.tree,
    spec: {
      name,
      command: submission.command,
      directory: context.directory,
      pool: context.pool.key,
      shape: {
        ...(cpus !== undefined && { cpus }),
        ...(gpus !== undefined && { gpus }),
        ...(memory !== undefined && { memory }),
      },
      labels: submission.labels,
      priority: submission.priority,
      timeLimit: submission.timeLimit,
      retries: submission.retries,
      allowFailure: submission.allowFailure,
      awaited: submission.awaited,
      environment: context.environment,
      variables: submission.variables,
      // Nobody could say into which of several shards he types.
      ...(submission.stdin !== 'empty' && submission.shards === null && { stdin: submission.stdin }),
      ...(submission.terminal !== undefined && { terminal: submission.terminal }),
      workspace: context.workspace,
      ...(context.outputs && { outputs: context.outputs }),
      shards: submission.shards === null ? null : { ...submission.shards, gang: submission.gang },
    },
  };
}
