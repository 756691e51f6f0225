/** This machine as a host: the agent is a child process, and its files are at hand. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnShell } from './agent/process.ts';
import { scripts } from './agent/scripts.ts';
import { AgentHost } from './agentHost.ts';
import { detectFacts } from './detect.ts';
import { type HostPaths, hostPaths } from './files.ts';
import { localFiles, removeOld } from './localFiles.ts';
import { captureLogin, type Login } from './login.ts';
import { LocalLogs } from './logs.ts';
import type { Machine, Site } from './machine.ts';

export interface LocalMachineOptions {
  /** Where the agent keeps its files. Two hosts never share one. Its path holds no colon. */
  folder: string;
  /** The server's environment: PATH finds the shells and tools, SHELL names the login shell. */
  env: NodeJS.ProcessEnv;
  log: (message: string) => void;
  /** The shell that runs the agent; by default bash where there is one, else sh. */
  shell?: readonly string[];
  /** Where procfs is mounted. */
  proc?: string;
}

export interface LocalHostOptions extends LocalMachineOptions {
  name: string;
  /** See AgentHostOptions. */
  sweepInterval?: number;
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
/** An environment that no server has written for this long is removed. Milliseconds. */
const environmentAge = 24 * 3600 * 1000;

export class LocalHost extends AgentHost {
  constructor({ name, sweepInterval, ...options }: LocalHostOptions) {
    const { folder, log } = options;
    const logs = new LocalLogs(hostPaths(folder), log);
    super({ name, machine: new LocalMachine(options), logs, log, ...(sweepInterval && { sweepInterval }) });
  }
}

class LocalMachine implements Machine {
  private readonly paths: HostPaths;
  private prepared: { cookie: string; login: Promise<Login> } | null = null;

  constructor(private readonly options: LocalMachineOptions) {
    this.paths = hostPaths(options.folder);
  }

  async reach(): Promise<Site> {
    const { env, log, proc = '/proc' } = this.options;
    const path = env.PATH || defaultPath;
    const bash = findProgram('bash', path);
    const shell = this.options.shell ?? (bash === null ? ['sh'] : [bash, '--norc']);
    this.prepared ??= {
      cookie: await prepareFolder(this.paths),
      login: captureLogin(env, join(this.paths.scripts, 'login.sh'), log),
    };
    return {
      ...this.prepared,
      facts: await detectFacts(env),
      paths: this.paths,
      shell,
      bash,
      proc,
      files: localFiles,
      attempts: null,
      lease: 0,
      openShell: async () => spawnShell(shell, path),
    };
  }
}

/** Makes the folder ready for an agent, and answers with its cookie, which is chosen once for each folder. */
async function prepareFolder(paths: HostPaths): Promise<string> {
  await mkdir(paths.environments, { recursive: true, mode: 0o700 });
  await installScripts(paths);
  // Each server writes the environments it needs anew, so old ones are needed by no attempt to come.
  await removeOld(paths.environments, environmentAge);
  const file = join(paths.folder, 'id');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f]{24}$/.test(known)) return known;
  const cookie = randomBytes(12).toString('hex');
  await localFiles.writeWhole(file, cookie, 0o600);
  return cookie;
}

async function installScripts(paths: HostPaths): Promise<void> {
  for (const [name, text] of Object.entries(scripts)) {
    const path = join(paths.scripts, name);
    const present = await readFile(path, 'utf8').catch(() => '');
    if (present !== text) await localFiles.writeWhole(path, text, 0o700);
  }
}

/** Path of a program, or null where `path` leads to none. */
function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(':')) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Looks in the next folder.
    }
  }
  return null;
}
