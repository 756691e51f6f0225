/** A task under somebody's eyes: what reading its log and typing into it need to know. */
import type { HostLogs, HostTerminals } from '../hosts/host.ts';
import type { Task } from '../model/task.ts';

export interface TaskWatch {
  task(): Task;
  host(name: string): HostTerminals | undefined;
  logs(host: string): HostLogs;
  /** Since when, or why, the host is out of reach; null where it is not. */
  trouble(name: string): string | null;
  /** Resolves at the next change of the task, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void>;
}
