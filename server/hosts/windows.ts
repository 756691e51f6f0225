/** This machine where Windows runs on it. No task does: an agent needs a POSIX shell, processes and files as Unix has them. */
import { VbatchError } from '../protocol/errors.ts';
import { localRetries } from './agent/keeper.ts';
import { AgentHost } from './agentHost.ts';
import { type Environment, withoutOwn } from './environment.ts';
import { hostPaths } from './files.ts';
import { failure } from './findings.ts';
import type { LocalHostOptions } from './local.ts';
import { LocalLogs } from './logs.ts';
import type { Machine } from './machine.ts';

const why = 'it runs Windows, where no tasks run, only on hosts over SSH';
/** It will not be another system while the server runs. Milliseconds. */
const daily = [24 * 3600 * 1_000];

const machine: Machine = {
  async reach() {
    throw new Error(why);
  },
  async check() {
    return [
      failure('system', why, 'name a pool of other hosts with -P, or in defaults.pool of the configuration'),
    ];
  },
  async prune() {
    throw new VbatchError('refused', `Nothing is kept on this machine: ${why}.`);
  },
};

export class WindowsHost extends AgentHost {
  private readonly env: NodeJS.ProcessEnv;

  constructor({ name, folder, env, log }: LocalHostOptions) {
    const retries = { ...localRetries, pauses: daily, rarePauses: daily };
    super({ name, machine, logs: new LocalLogs(hostPaths(folder), log), log, retries });
    this.env = env;
  }

  /** No shell is asked: it is what the server was started with. */
  override async loginEnvironment(): Promise<Environment> {
    return withoutOwn(Object.entries(this.env).map(([name, value]) => [name, value ?? ''] as const));
  }
}
