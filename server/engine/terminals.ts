/** People at terminals: those that tasks run in, and shells beside tasks (R36). */
import type { Seat, Viewer } from '../hosts/host.ts';
import { statusOf } from '../model/outcome.ts';
import { VbatchError } from '../protocol/errors.ts';
import { attemptKey } from './logs.ts';
import type { Attended, Beside } from './service.ts';
import type { TaskWatch } from './taskWatch.ts';

/** Takes a place at a task's own terminal, once that is open. See EngineService.attend. */
export async function attendTask(watch: TaskWatch, viewer: Viewer, signal: AbortSignal): Promise<Attended> {
  const { id, spec } = watch.task();
  if (spec.terminal === undefined) {
    throw new VbatchError('refused', `${id} has no terminal: only \`vrun -t\` and \`vrun bash\` make one`);
  }
  for (;;) {
    const { attempts, number, phase } = watch.task();
    const attempt = attempts.at(-1);
    if (attempt?.state === 'running') {
      const seat = watch.host(attempt.allocation.host)?.attend(attemptKey(number, attempts.length), viewer);
      return seat ? { attempt: attempts.length, seat } : 'gone';
    }
    if (phase.kind === 'subtasks' || phase.kind === 'done') return 'ended';
    signal.throwIfAborted();
    await watch.changed(signal);
  }
}

/** Opens a shell beside a running task, in this directory of its host. See EngineService.openBeside. */
export async function openBeside(
  watch: TaskWatch,
  { command, terminal }: Beside,
  directory: string,
  viewer: Viewer,
): Promise<Seat> {
  const task = watch.task();
  const attempt = task.attempts.at(-1);
  if (attempt?.state !== 'running') {
    throw new VbatchError(
      'refused',
      `${task.id} is ${statusOf(task)}: there is nothing running to be beside of`,
    );
  }
  const { host: name } = attempt.allocation;
  const trouble = watch.trouble(name);
  const host = watch.host(name);
  if (host === undefined || trouble !== null) {
    throw new VbatchError(
      'unreachable',
      `${task.id} runs on ${name}, which is out of reach ${trouble ?? ''}`.trim(),
    );
  }
  try {
    const key = attemptKey(task.number, task.attempts.length);
    return await host.openBeside({ key, directory, command, terminal }, viewer);
  } catch (error) {
    if (!(error instanceof VbatchError)) throw error;
    throw new VbatchError(
      error.code,
      `no terminal can be opened beside ${task.id} on ${name}: ${error.message}`,
    );
  }
}
