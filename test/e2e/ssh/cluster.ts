/** A person's machine and hosts of a test bed that it can ssh into, with the same files in the same place. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostOptions, Testbed } from '../../support/testbed/testbed.ts';
import { Sandbox } from '../sandbox.ts';

export interface ClusterHost extends HostOptions {
  /** What the configuration says of it, in YAML. */
  readonly config?: string;
  /** Whether files are brought to it; else it has what `write` gives it. */
  readonly travels?: boolean;
}

/** On hosts, /tmp is memory and empty after each boot. */
const disk = '/var/tmp';

export class Cluster {
  private constructor(
    readonly bed: Testbed,
    readonly sandbox: Sandbox,
    private readonly names: readonly string[],
  ) {}

  /** @param more further lines of the configuration. */
  static async up(hosts: readonly ClusterHost[], more = ''): Promise<Cluster> {
    const machines = hosts.filter(({ config = '' }) => !config.includes('ssh:'));
    const bed = await Testbed.up({ hosts: machines });
    const entries = hosts
      .map(({ name, config = '{}', travels = false }) => {
        const shared = travels ? config : config.replace('{', '{ workspace: shared, ');
        return `  ${name}: ${shared}\n`;
      })
      .join('');
    const sandbox = new Sandbox(`ssh_config: ${bed.sshConfig}\nhosts:\n${entries}${more}`, disk);
    const names = machines.map(({ name }) => name);
    const cluster = new Cluster(bed, sandbox, names);
    await cluster.onAll('mkdir', '-p', sandbox.work);
    return cluster;
  }

  /** Adds to the configuration. */
  configure(lines: string): void {
    appendFileSync(join(this.sandbox.folder, 'config.yaml'), lines);
  }

  /** Writes a file into the working folder of every host and of this machine. */
  async write(name: string, text: string): Promise<void> {
    const path = this.sandbox.write(name, text);
    for (const host of this.names) this.bed.host(host).write(path, text);
    if (text.startsWith('#!')) await this.onAll('chmod', '755', path);
  }

  /** What all hosts have in a file of the working folder, one after the other. */
  read(name: string): string {
    return this.names.map((host) => this.readOn(host, name)).join('');
  }

  readOn(host: string, name: string): string {
    try {
      return this.bed.host(host).read(`${this.sandbox.work}/${name}`);
    } catch {
      return '';
    }
  }

  /** Runs a command on every host, without SSH. */
  async onAll(...argv: [string, ...string[]]): Promise<void> {
    await Promise.all(this.names.map((host) => this.bed.host(host).exec(argv)));
  }

  /** Kills the agent that runs on a host, if one does. */
  async killAgent(host: string): Promise<void> {
    const { stdout } = await this.bed.host(host).exec(['sh', '-c', 'cat /root/.vbatch/*/agent.run']);
    const pid = Number(stdout.split(' ')[1]);
    // Wrappers are its forks, with the same command line.
    const agent = this.bed
      .host(host)
      .processes()
      .find((process) => process.pid === pid);
    if (agent) process.kill(agent.outerPid, 'SIGKILL');
  }

  async down(): Promise<void> {
    await this.sandbox.remove();
    await this.bed.down();
  }
}
