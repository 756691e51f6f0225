import { AgentHost } from '../agentHost.ts';
import { hostPaths } from '../files.ts';
import { SshLogs } from './logs.ts';
import { SshMachine, type SshMachineOptions } from './machine.ts';

export interface SshHostOptions extends Omit<SshMachineOptions, 'connected'> {
  name: string;
  /** Folder of this server for what it brings here from the host. */
  folder: string;
  /** See AgentHostOptions. */
  sweepInterval?: number;
}

/** A machine with sshd and a POSIX shell as a host. */
export class SshHost extends AgentHost {
  constructor({ name, folder, sweepInterval, ...options }: SshHostOptions) {
    const logs = new SshLogs(hostPaths(folder), options.log);
    super({
      name,
      machine: new SshMachine({ ...options, connected: (sftp) => logs.use(sftp) }),
      logs,
      log: options.log,
      ...(sweepInterval && { sweepInterval }),
    });
  }
}
