import { type Retries, remoteRetries } from '../agent/keeper.ts';
import { AgentHost } from '../agentHost.ts';
import { hostPaths } from '../files.ts';
import { Questions } from '../questions.ts';
import { SshLogs } from './logs.ts';
import { SshMachine, type SshMachineOptions } from './machine.ts';

export interface SshHostOptions extends Omit<SshMachineOptions, 'connected' | 'questions'> {
  name: string;
  /** Folder of this server for what it brings here from the host. */
  folder: string;
  /** See AgentHostOptions. */
  sweepInterval?: number;
  gpuInterval?: number;
  retries?: Retries;
}

/** A machine with sshd and a POSIX shell as a host. */
export class SshHost extends AgentHost {
  constructor(all: SshHostOptions) {
    const { name, folder, sweepInterval, gpuInterval, retries = remoteRetries, ...options } = all;
    const questions = new Questions(name);
    const logs = new SshLogs(hostPaths(folder), options.log);
    super({
      name,
      machine: new SshMachine({ ...options, questions, connected: (sftp) => logs.use(sftp) }),
      logs,
      log: options.log,
      questions,
      retries,
      ...(sweepInterval && { sweepInterval }),
      ...(gpuInterval && { gpuInterval }),
    });
  }
}
