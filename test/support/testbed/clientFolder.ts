/** What a client of the bed's hosts has: keys, a configuration of its own, and the hosts' keys. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKey } from './keys.ts';

export interface ClientFolder {
  readonly path: string;
  /** A private key without a passphrase; the public one is beside it, with `.pub`. Hosts let it in. */
  readonly key: string;
  /** Another, with a passphrase. Hosts let it in too, but `sshConfig` does not name it. */
  readonly encryptedKey: string;
  readonly passphrase: string;
  /** A configuration for `ssh -F`, with all hosts by their names. */
  readonly sshConfig: string;
  readonly knownHosts: string;
  /** Both public keys, a line each. */
  readonly publicKeys: string;
}

/** Makes the folder, with keys and without hosts. */
export async function makeClientFolder(path: string): Promise<ClientFolder> {
  mkdirSync(path, { mode: 0o700 });
  const key = join(path, 'id_ed25519');
  const encryptedKey = join(path, 'id_encrypted');
  const passphrase = 'open sesame';
  await Promise.all([makeKey(key, 'bed'), makeKey(encryptedKey, 'bed encrypted', passphrase)]);
  return {
    path,
    key,
    encryptedKey,
    passphrase,
    sshConfig: join(path, 'ssh_config'),
    knownHosts: join(path, 'known_hosts'),
    publicKeys: [key, encryptedKey].map((each) => readFileSync(`${each}.pub`, 'utf8')).join(''),
  };
}

/** A line of known_hosts. `name` is an address, or `[ADDRESS]:PORT` where the port is not 22. */
export function knownHostsLine(name: string, hostKey: string): string {
  return `${name} ${hostKey}\n`;
}

/** Makes hosts known to the client. */
export function introduce(
  client: ClientFolder,
  hosts: readonly { name: string; address: string; hostKey: string }[],
): void {
  writeFileSync(
    client.knownHosts,
    hosts.map(({ address, hostKey }) => knownHostsLine(address, hostKey)).join(''),
  );
  const entries = hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
  // The key exchange that OpenSSH prefers costs 80 ms of computing.
  const common = `Host *
  KexAlgorithms curve25519-sha256
  User root
  IdentityFile "${client.key}"
  IdentitiesOnly yes
  UserKnownHostsFile "${client.knownHosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
`;
  writeFileSync(client.sshConfig, entries.join('') + common);
}
