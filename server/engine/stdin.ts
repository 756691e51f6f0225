import { VbatchError } from '../protocol/errors.ts';
import type { StdinResponse } from '../protocol/tasks.ts';
import { attemptKey } from './logs.ts';
import type { Typed } from './service.ts';
import type { TaskWatch } from './taskWatch.ts';

const nothing = Buffer.alloc(0);

/**
 * Types into a task's stdin (R36), once it runs. Resolves when its command can read what was typed; where
 * an attempt takes no more, when the next one runs or there will be none. Each attempt begins with an
 * empty stdin: what was meant for another one is not typed. An end is the end for all attempts to come,
 * and is seen to even when whoever has asked for it is gone.
 */
export async function typeInto(watch: TaskWatch, typed: Typed, signal: AbortSignal): Promise<StdinResponse> {
  const { id, spec } = watch.task();
  if (spec.stdin !== 'open') {
    throw new VbatchError(
      'refused',
      `nothing can be typed into ${id}: only a vrun from a terminal opens its stdin`,
    );
  }
  /** The latest attempt that takes no more; 0 for none. */
  let deaf = 0;
  for (;;) {
    const { attempts, number, phase } = watch.task();
    const current = attempts.length;
    const attempt = attempts.at(-1);
    if (phase.kind === 'subtasks' || phase.kind === 'done') {
      return { attempt: current === 0 ? null : current, open: false };
    }
    if (attempt?.state === 'running' && deaf < current) {
      const isMeant = (typed.attempt ?? current) === current && deaf === 0;
      if (!isMeant && !typed.end) return { attempt: current, open: true };
      const { offset, data } = isMeant ? typed : { offset: 0, data: nothing };
      const host = watch.host(attempt.allocation.host);
      const open = await host?.input(attemptKey(number, current), offset, data, typed.end);
      if (open) return { attempt: current, open };
      deaf = current;
    } else if (typed.end) {
      await watch.changed(new AbortController().signal);
    } else {
      signal.throwIfAborted();
      await watch.changed(signal);
    }
  }
}
