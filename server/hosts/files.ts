/** The folder that a host keeps on its machine: what lies where. All of it belongs to its owner alone. */
import { join } from 'node:path/posix';
import { scriptsVersion } from './agent/scripts.ts';
import type { AttemptKey, LogStream } from './host.ts';

export interface HostPaths {
  folder: string;
  /** The scripts of this version. */
  scripts: string;
  /** What attempts get first on PATH. */
  bin: string;
  /** Environments to source, named by their contents. */
  environments: string;
  /** Requests of nested calls, in a folder for each attempt. */
  calls: string;
  /** Where the names of an attempt's files begin; see attempt.sh for what follows. */
  attempt(key: AttemptKey): string;
  log(key: AttemptKey, stream: LogStream): string;
}

export function hostPaths(folder: string): HostPaths {
  const versioned = join(folder, scriptsVersion);
  const attempt = (key: AttemptKey) =>
    join(folder, 'tasks', String(Math.floor(Number.parseInt(key, 10) / 1000)), key);
  return {
    folder,
    scripts: versioned,
    bin: join(versioned, 'bin'),
    environments: join(folder, 'env'),
    calls: join(folder, 'calls'),
    attempt,
    log: (key, stream) => `${attempt(key)}.${stream === 'stdout' ? 'out' : 'err'}`,
  };
}
