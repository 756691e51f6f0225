/** This machine as a host: the agent is a child process, and its files are at hand. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Shape } from '../model/task.ts';
import type { Finding } from '../protocol/hosts.ts';
import { spawnShell } from './agent/process.ts';
import { scripts } from './agent/scripts.ts';
import { AgentHost } from './agentHost.ts';
import {
  keepProcesses,
  logoutByConfiguration,
  machineFindings,
  roomFinding,
  tellMachine,
} from './checkMachine.ts';
import { detectFacts } from './detect.ts';
import { type HostPaths, hostPaths } from './files.ts';
import { ok, warning } from './findings.ts';
import { localFiles, removeOld } from './localFiles.ts';
import { openLocalTerminal } from './localTerminal.ts';
import { captureLogin, type Login } from './login.ts';
import { LocalLogs } from './logs.ts';
import type { Leftovers, Machine, PruneRequest, Site } from './machine.ts';
import { pruneFolder } from './prune.ts';
import { localShell, type Told } from './told.ts';

export interface LocalMachineOptions {
  /** Where the agent keeps its files. Two hosts never share one. Its path holds no colon. */
  folder: string;
  /** The server's environment: PATH finds the shells and tools, SHELL names the login shell. */
  env: NodeJS.ProcessEnv;
  log: (message: string) => void;
  /** Set for all that runs here. */
  variables?: Readonly<Record<string, string>>;
  /** The shell that runs the agent; by default bash where there is one, else sh. */
  shell?: readonly string[];
  /** Where procfs is mounted. */
  proc?: string;
}

export interface LocalHostOptions extends LocalMachineOptions {
  name: string;
  /** See AgentHostOptions. */
  sweepInterval?: number;
  gpuInterval?: number;
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
/** An environment that no server has written for this long is removed. Milliseconds. */
const environmentAge = 24 * 3600 * 1000;

export class LocalHost extends AgentHost {
  constructor({ name, sweepInterval, gpuInterval, ...options }: LocalHostOptions) {
    const { folder, log } = options;
    const logs = new LocalLogs(hostPaths(folder), log);
    super({
      name,
      machine: new LocalMachine(options),
      logs,
      log,
      ...(sweepInterval && { sweepInterval }),
      ...(gpuInterval && { gpuInterval }),
    });
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
    if (!this.prepared) this.removeOldScripts();
    this.prepared ??= {
      cookie: await prepareFolder(this.paths),
      login: captureLogin(env, join(this.paths.scripts, 'login.sh'), log),
    };
    return {
      ...this.prepared,
      variables: this.options.variables ?? {},
      facts: await detectFacts(env),
      paths: this.paths,
      shell,
      bash,
      proc,
      files: localFiles,
      workspace: null,
      attempts: null,
      lease: 0,
      openShell: async () => spawnShell(shell, path),
      openTerminal: (script, terminal) => openLocalTerminal([...shell, script], terminal, path),
    };
  }

  /** In the background: where there is an old version, many files may have to be looked at. */
  private removeOldScripts(): void {
    const isOld = (name: string) => /^[0-9a-f]{12}$/.test(name) && name !== basename(this.paths.scripts);
    readdir(this.paths.folder)
      .then(async (names) => {
        if (names.some(isOld)) await this.prune({ attempts: [], folders: [], look: 'nothing' });
      })
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') this.options.log(`Old scripts are not removed: ${error.message}`);
      });
  }

  async check(configured: Partial<Shape>): Promise<Finding[]> {
    const { env, folder } = this.options;
    const told = await tellMachine(localShell(env), folder, { leaveSleeper: false });
    return [
      ...machineFindings(told),
      roomFinding(await detectFacts(env), configured),
      ...logoutFindings(told),
    ];
  }

  prune(request: PruneRequest): Promise<Leftovers> {
    const { env, folder } = this.options;
    // What lies beside this machine's folder is of other hosts, but of the same server.
    const look = request.look === 'all' ? 'attempts' : request.look;
    return pruneFolder(localShell(env), folder, { ...request, folders: [], look });
  }
}

function logoutFindings(told: Told): Finding[] {
  const found = logoutByConfiguration(told);
  if (found === null) return [];
  if (!found.kills) return [ok('logout', `processes go on after a logout: ${found.text}`)];
  return [
    warning('logout', `the server and its tasks end when you log out: ${found.text}`, keepProcesses(told)),
  ];
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
