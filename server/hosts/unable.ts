/** How an attempt ends that could not be started; its command did not run. */
import type { Exit } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';

/** Its files could not be written. */
export function unableExit(host: string, what: string): Exit {
  return notRun(`nothing can be written for this task on ${host}, so it was not started: ${what}`);
}

/** What came of the order to start it was this error. */
export function startFailure(host: string, error: Error): Exit {
  const isRefusal = error instanceof VbatchError && error.code === 'refused';
  if (!isRefusal) return unableExit(host, error.message);
  return notRun(`it was not started, because no terminal can be opened on ${host}: ${error.message}`);
}

function notRun(reason: string): Exit {
  return { exitCode: 125, signal: null, reason };
}
