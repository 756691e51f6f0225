/** Of which failed tasks the errors are shown, and until when. Knows nothing of VS Code. */
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';

/** What is to be done about the errors of a task. */
export type FailureEffect =
  | { readonly type: 'read'; readonly task: TaskView }
  | { readonly type: 'forget'; readonly id: string };

/** Tasks of one run whose errors are read: a thousand failures mostly have one cause. */
const mostOfRun = 20;

export class Failures {
  /** The newest run of each script, by that script. */
  private readonly newest = new Map<string, { id: string; createdAt: string }>();
  private readonly scripts = new Map<string, string>();
  /** Tasks whose errors are shown, with the attempt they are of, by their run. */
  private readonly shown = new Map<string, Map<string, number>>();

  take(event: StreamEvent): FailureEffect[] {
    if (event.type === 'reset') {
      this.newest.clear();
      this.scripts.clear();
      return [];
    }
    if (event.type !== 'tasks') return [];
    const effects = event.removed.flatMap((id) => this.forget(id));
    for (const id of event.removed) this.scripts.delete(id);
    for (const task of event.tasks) {
      if (task.parent === null) effects.push(...this.takeRun(task));
      effects.push(...this.takeTask(task));
    }
    return effects;
  }

  private takeRun({ id, command, cwd, createdAt }: TaskView): FailureEffect[] {
    const script = JSON.stringify([command, cwd]);
    this.scripts.set(id, script);
    const before = this.newest.get(script);
    if (before !== undefined && (before.id === id || before.createdAt > createdAt)) return [];
    this.newest.set(script, { id, createdAt });
    const old = before === undefined ? [] : [...(this.shown.get(before.id)?.keys() ?? [])];
    return old.flatMap((task) => this.forget(task));
  }

  private takeTask(task: TaskView): FailureEffect[] {
    const { id, run, attempt } = task;
    const ofRun = this.shown.get(run) ?? new Map<string, number>();
    if (!hasFailedItself(task)) return this.forget(id);
    const script = this.scripts.get(run);
    const isNewest = script !== undefined && this.newest.get(script)?.id === run;
    if (!isNewest || ofRun.get(id) === attempt || (ofRun.size >= mostOfRun && !ofRun.has(id))) return [];
    this.shown.set(run, ofRun.set(id, attempt));
    return [{ type: 'read', task }];
  }

  private forget(id: string): FailureEffect[] {
    const run = id.split('/', 1)[0] ?? id;
    const ofRun = this.shown.get(run);
    if (ofRun?.delete(id) !== true) return [];
    if (ofRun.size === 0) this.shown.delete(run);
    return [{ type: 'forget', id }];
  }
}

/** Its own command has, and it is over. */
function hasFailedItself({ status, attempt, exitCode, signal }: TaskView): boolean {
  return status === 'FAILURE' && attempt > 0 && (signal !== null || (exitCode !== null && exitCode !== 0));
}
