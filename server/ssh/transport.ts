/** Which program speaks SSH for us: ssh2 in this process, or the system's ssh for what ssh2 cannot do. */
import { existsSync } from 'node:fs';
import { offered } from './algorithms.ts';
import { keyName } from './hostKey.ts';
import { hasTicket } from './kerberos.ts';
import { readKeyFile } from './keys.ts';
import { readKnownHosts } from './knownHosts.ts';
import type { SshSettings } from './settings.ts';

export type Transport = 'ssh2' | 'system';

/** What of a host, or of one on the way to it, only the system's ssh can do; null where nothing is seen. */
export async function needsSystemSsh(settings: SshSettings, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const hop of [...settings.jumps, settings]) {
    const what = certificateOf(hop) ?? lackingAlgorithm(hop) ?? (await hostCertificateOf(hop));
    if (what !== null) return `${what} of ${hop.target}`;
    const without = await withoutUsableKey(hop, env);
    if (without !== null) return `${without} of ${hop.target}`;
  }
  return null;
}

function certificateOf({ certificateFiles, identityFiles }: SshSettings): string | null {
  const beside = identityFiles.map((file) => `${file}-cert.pub`);
  const file = [...certificateFiles, ...beside].find((path) => existsSync(path));
  return file === undefined ? null : `the certificate ${file}`;
}

function lackingAlgorithm(settings: SshSettings): string | null {
  const none = Object.entries(offered(settings, [])).find(([, names]) => names.length === 0);
  return none ? `the ${none[0]} algorithms` : null;
}

/** A host that is known by its certificate authority alone shows a certificate only to who can read it. */
async function hostCertificateOf(settings: SshSettings): Promise<string | null> {
  const known = await readKnownHosts([...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles]);
  const { host, port } = keyName(settings);
  const isCertified = known.hasAuthority(host, port) && known.types(host, port).length === 0;
  return isCertified ? 'the host certificate' : null;
}

/** Where no key of a file can be used, a hardware key or a Kerberos ticket is what gets in. */
async function withoutUsableKey(settings: SshSettings, env: NodeJS.ProcessEnv): Promise<string | null> {
  let foreign: string | null = null;
  for (const path of settings.identityFiles) {
    const file = await readKeyFile(path);
    if (file?.kind === 'foreign') foreign ??= `the ${file.type} key ${file.file}`;
    else if (file && file.kind !== 'unusable') return null;
  }
  return foreign ?? (settings.gssapi && hasTicket(env) ? 'the Kerberos ticket' : null);
}
