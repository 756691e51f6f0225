import { isAbsolute } from 'node:path';
import { type Configuration, localHost } from '../config/configuration.ts';
import type { State } from '../model/state.ts';
import { decideSubmission } from '../model/submit.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { Submission, SubmitResult } from '../protocol/tasks.ts';
import type { Core } from './core.ts';
import type { Fleet } from './fleet.ts';
import { inherited } from './orders.ts';
import type { Rooms } from './rooms.ts';
import type { Submitter } from './service.ts';
import { environmentKey, submissionRequest } from './submission.ts';
import type { Trees } from './trees/trees.ts';

/** How long a submission waits for hosts of which nothing is known yet. */
const firstContactMs = 10_000;

/** Takes submissions: finds their pools, decides, and commits what may be. */
export class Submissions {
  constructor(
    private readonly core: Core,
    private readonly parts: { state: State; fleet: Fleet; rooms: Rooms; trees: Trees },
  ) {}

  /** See EngineService. */
  async submit(
    submissions: readonly Submission[],
    submitter: Submitter,
    options: { dryRun: boolean },
  ): Promise<SubmitResult[]> {
    this.core.check();
    const configurations = new Map<string | null, Promise<Configuration | VbatchError>>();
    const prepared: Prepared[] = [];
    for (const submission of submissions) {
      const workspace = this.workspaceOf(submission, submitter);
      const configuration = configurations.get(workspace) ?? this.configurationFor(workspace);
      configurations.set(workspace, configuration);
      prepared.push(await this.prepare(submission, submitter, await configuration, options.dryRun));
    }
    try {
      return await this.commitAll(prepared, submitter, options.dryRun);
    } finally {
      for (const each of prepared) if (!(each instanceof VbatchError)) each.snapshot?.release();
    }
  }

  private async commitAll(
    prepared: readonly Prepared[],
    submitter: Submitter,
    dryRun: boolean,
  ): Promise<SubmitResult[]> {
    // From here to the commit nothing may be awaited: what was decided must still hold.
    this.core.check();
    const results: SubmitResult[] = [];
    for (const each of prepared) {
      results.push(each instanceof VbatchError ? failed(each) : this.submitOne(each, submitter, dryRun));
    }
    await this.core.settled();
    return results;
  }

  /** What takes time: the workspace as it is now, of a run, or of the task here that submits. */
  private async prepare(
    submission: Submission,
    { parent }: Submitter,
    configuration: Configuration | VbatchError,
    dryRun: boolean,
  ): Promise<Prepared> {
    if (configuration instanceof VbatchError) return configuration;
    const { state, rooms, trees } = this.parts;
    try {
      if (submission.key !== undefined && state.byKey.has(submission.key))
        return { submission, configuration, snapshot: null };
      if (parent === null) {
        // What a host calls a folder may be of another form than here, but nobody submits from there without a parent.
        if (!isAbsolute(submission.directory)) return notHere(submission.directory);
        const snapshot = await trees.snapshot(submission, configuration);
        if (dryRun && snapshot?.tree) {
          const { pool } = rooms.resolve(configuration, submission.pool ?? configuration.defaults.pool);
          const isHere = pool.hosts.every((host) => host === localHost);
          const hosts = isHere ? [...configuration.hosts.keys()] : pool.hosts;
          snapshot.notes.push(...(await trees.preview(snapshot.tree, hosts, submission.workspace)));
        }
        return { submission, configuration, snapshot };
      }
      const task = state.tasks.get(parent);
      const isHere = task?.attempts.at(-1)?.allocation.host === localHost;
      const { pool } = rooms.resolve(configuration, submission.pool ?? configuration.defaults.pool);
      if (task !== undefined && isHere && trees.mayTravel(task, pool.hosts)) await trees.absorb(task);
      return { submission, configuration, snapshot: null };
    } catch (error) {
      if (error instanceof VbatchError) return error;
      throw error;
    }
  }

  private async configurationFor(workspace: string | null): Promise<Configuration | VbatchError> {
    try {
      const configuration = await this.parts.rooms.refresh(workspace);
      // What a host has that was just named decides which pools there are.
      await this.parts.fleet.known(configuration.hosts.keys(), firstContactMs);
      return configuration;
    } catch (error) {
      if (error instanceof VbatchError) return error;
      throw error;
    }
  }

  private workspaceOf(submission: Submission, { parent }: Submitter): string | null {
    if (parent === null) return submission.workspace;
    return this.parts.state.tasks.get(parent)?.spec.workspace ?? null;
  }

  private submitOne(
    { submission, configuration, snapshot }: Exclude<Prepared, VbatchError>,
    submitter: Submitter,
    dryRun: boolean,
  ): SubmitResult {
    const { state, rooms, trees } = this.parts;
    try {
      const resolved = rooms.resolve(configuration, submission.pool ?? configuration.defaults.pool);
      const { pool } = resolved;
      const notes = [...resolved.notes, ...(snapshot?.notes ?? [])];
      const parent = submitter.parent === null ? undefined : state.tasks.get(submitter.parent);
      const change =
        parent === undefined ? submitter.environment : inherited(state, parent, submitter.environment);
      const environment = environmentKey(change);
      const workspace = this.workspaceOf(submission, submitter);
      const request = submissionRequest(submission, {
        pool,
        workspace,
        environment,
        parent: submitter.parent,
        attempt: submitter.attempt,
        directory:
          parent === undefined ? submission.directory : trees.directoryHere(parent, submission.directory),
        tree: snapshot?.tree ?? null,
        outputs: submission.outputs ?? parent?.spec.outputs,
      });
      const decision = decideSubmission(state, rooms, request, this.core.time());
      if (decision.kind === 'refused') return failed(new VbatchError('refused', decision.reason));
      if (decision.kind === 'known') return { id: decision.task.id, notes };
      if (!dryRun) {
        if (!state.environments.has(environment)) {
          this.core.commit({ type: 'environment', at: this.core.time(), key: environment, change });
        }
        this.core.commit(decision.event);
      }
      return { id: decision.id, notes };
    } catch (error) {
      if (error instanceof VbatchError) return failed(error);
      throw error;
    }
  }
}

/** A submission with all that it takes to decide on it, or why it is refused. */
type Prepared =
  | {
      submission: Submission;
      configuration: Configuration;
      snapshot: Awaited<ReturnType<Trees['snapshot']>>;
    }
  | VbatchError;

function failed(error: VbatchError): SubmitResult {
  return { error: { code: error.code, message: error.message } };
}

function notHere(directory: string): VbatchError {
  const what = `The directory ${JSON.stringify(directory)} is no absolute path of this machine.`;
  return new VbatchError('invalid', `${what} Submit from a folder that is on it.`);
}
