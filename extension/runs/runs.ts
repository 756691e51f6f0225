/** The runs that the window knows: tasks without a parent. Pure, small, and the same for every room that shows runs. */
import { relative, resolve } from 'node:path';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import { scriptOf } from '../../server/model/naming.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { isDone } from '../statuses.ts';

/** A run that has just come to its end, or has begun again after one. */
export interface RunChange {
  readonly run: TaskView;
  readonly what: 'ended' | 'began';
}

export class Runs {
  private readonly byId = new Map<string, TaskView>();
  /** Those that were known before the server was lost: what happened to them meanwhile is news. */
  private before = new Map<string, TaskView>();
  private whole = false;

  /** @param since what ended before this time is no news. Milliseconds. */
  constructor(private readonly since: number) {}

  /** Takes what the stream brings. Gives the changes of runs, each once. */
  take(event: StreamEvent): RunChange[] {
    if (event.type === 'reset') {
      for (const [id, run] of this.byId) this.before.set(id, run);
      this.byId.clear();
      this.whole = false;
      return [];
    }
    if (event.type !== 'tasks') return [];
    for (const id of event.removed) this.byId.delete(id);
    const changes = event.tasks.filter(({ parent }) => parent === null).flatMap((run) => this.takeRun(run));
    if (event.whole && !this.whole) {
      this.whole = true;
      this.before = new Map();
    }
    return changes;
  }

  get(id: string): TaskView | undefined {
    return this.byId.get(id);
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  all(): Iterable<TaskView> {
    return this.byId.values();
  }

  /** The newest run of a script, or undefined. */
  latestOf(file: string): TaskView | undefined {
    let latest: TaskView | undefined;
    for (const run of this.byId.values()) {
      const script = scriptFile(run);
      // Windows has one file by several names: that of its drive may be in upper or in lower case.
      if (script === null || relative(script, file) !== '') continue;
      if (latest === undefined || run.createdAt > latest.createdAt) latest = run;
    }
    return latest;
  }

  private takeRun(run: TaskView): RunChange[] {
    const known = this.byId.get(run.id) ?? this.before.get(run.id);
    this.byId.set(run.id, run);
    const isOver = isDone(run.status);
    if (known !== undefined && isDone(known.status) === isOver) return [];
    if (isOver) {
      const isNews = known !== undefined || Date.parse(run.resolvedAt ?? run.createdAt) >= this.since;
      return isNews ? [{ run, what: 'ended' }] : [];
    }
    return [{ run, what: 'began' }];
  }
}

/** The script that a task's own command runs, as a path; null where it runs none. */
export function scriptFile({ command, cwd }: Pick<TaskView, 'command' | 'cwd'>): string | null {
  const script = scriptOf(command);
  return script === null ? null : resolve(cwd, script);
}

export function hasFailed({ status }: Pick<TaskView, 'status'>): boolean {
  return status === 'FAILURE' || status === 'FAILED_UPSTREAM' || status === 'CANCELLED';
}

/** How long a run took or has taken, in seconds; null before it starts. */
export function elapsedSeconds(run: Pick<TaskView, 'startedAt' | 'resolvedAt'>, now: number): number | null {
  if (run.startedAt === null) return null;
  const end = run.resolvedAt === null ? now : Date.parse(run.resolvedAt);
  return Math.max(0, (end - Date.parse(run.startedAt)) / 1_000);
}
