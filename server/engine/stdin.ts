import { VbatchError } from '../protocol/errors.ts';
import type { StdinResponse } from '../protocol/tasks.ts';
import { attemptKey } from './logs.ts';
import type { Typed } from './service.ts';
import type { TaskWatch } from './taskWatch.ts';

/**
 * Types into a task's stdin (R36), once it runs. Resolves when its command can read what was typed.
 * Each attempt begins with an empty stdin: what was meant for another one is not typed.
 */
export async function typeInto(watch: TaskWatch, typed: Typed, signal: AbortSignal): Promise<StdinResponse> {
  const { id, spec } = watch.task();
  if (spec.stdin !== 'open') {
    throw new VbatchError(
      'refused',
      `nothing can be typed into ${id}: only a vrun from a terminal opens its stdin`,
    );
  }
  for (;;) {
    const { attempts, number, phase } = watch.task();
    const attempt = attempts.at(-1);
    if (attempt?.state === 'running') {
      const current = attempts.length;
      if (typed.attempt !== null && typed.attempt !== current) return { attempt: current, open: true };
      const host = watch.host(attempt.allocation.host);
      if (host === undefined) return { attempt: current, open: false };
      const key = attemptKey(number, current);
      return { attempt: current, open: await host.input(key, typed.offset, typed.data, typed.end) };
    }
    if (phase.kind === 'subtasks' || phase.kind === 'done') {
      return { attempt: attempts.length === 0 ? null : attempts.length, open: false };
    }
    signal.throwIfAborted();
    await watch.changed(signal);
  }
}
