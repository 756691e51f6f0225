/** Makes the hosts that a configuration names. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMemory } from '../../ssh/memory.ts';
import { hostPaths } from '../files.ts';
import type { Host } from '../host.ts';
import type { Logs } from '../logs.ts';
import { SshHost } from './host.ts';
import { SshLogs } from './logs.ts';

/** Of a host's settings, what it takes to reach it. */
export interface Reach {
  name: string;
  ssh: { target: string; configFile: string | null; transport: 'ssh2' | 'system' | null } | null;
  /** Where its files are kept there. */
  folder: string;
}

/** What is the same for all hosts of a server: its state folder, environment, log. */
export interface SshGround {
  home: string;
  env: NodeJS.ProcessEnv;
  log: (message: string) => void;
}

/** The logs that have been brought here from a host, whether that can be reached or is configured any more. */
export function broughtLogs({ home, log }: Pick<SshGround, 'home' | 'log'>): (host: string) => Logs {
  return (name) => new SshLogs(hostPaths(folderOf(home, name)), (message) => log(`${name}: ${message}`));
}

export function sshHosts({ home, env, log }: SshGround): (reach: Reach) => Host {
  const identity = identityOf(home);
  const memory = createMemory();
  return ({ name, ssh, folder }) =>
    new SshHost({
      name,
      folder: folderOf(home, name),
      target: ssh?.target ?? name,
      ...(ssh?.configFile != null && { configFile: ssh.configFile }),
      ...(ssh?.transport != null && { transport: ssh.transport }),
      base: folder,
      identity,
      env,
      memory,
      log: (message) => log(`${name}: ${message}`),
    });
}

/** Where a server keeps what it brings here from a host. */
function folderOf(home: string, host: string): string {
  return join(home, 'hosts', host);
}

/** A state folder's name for itself on other machines, chosen once. */
function identityOf(home: string): string {
  const file = join(home, 'id');
  try {
    const known = readFileSync(file, 'utf8');
    if (/^[0-9a-f]{24}$/.test(known)) return known;
  } catch {
    // It is chosen now.
  }
  const identity = randomBytes(12).toString('hex');
  writeFileSync(file, identity, { mode: 0o600 });
  return identity;
}
