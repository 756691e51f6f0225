/** Decides whether the key that a host shows is its own. */
import { VbatchError } from '../protocol/errors.ts';
import {
  addKnownHost,
  fingerprint,
  hostName,
  type KnownHosts,
  keyType,
  type LinePlace,
} from './knownHosts.ts';
import type { SshMemory } from './memory.ts';
import type { Prompter } from './prompter.ts';
import { address, type SshSettings } from './settings.ts';

export interface HostKeyPolicy {
  known: KnownHosts;
  prompter: Prompter;
  memory: SshMemory;
  log: (message: string) => void;
}

/** The name under which a host's keys are known. */
export function keyName(settings: SshSettings): { host: string; port: number } {
  const { hostKeyAlias, hostName: host, port } = settings;
  return hostKeyAlias === null ? { host, port } : { host: hostKeyAlias, port: 22 };
}

/** Resolves where the host may be trusted; throws `refused` with what to do where it may not. */
export async function verifyHostKey(
  settings: SshSettings,
  key: Buffer,
  policy: HostKeyPolicy,
): Promise<void> {
  const { host, port } = keyName(settings);
  const answer = policy.known.check(host, port, key);
  const whose = `${settings.target} (${address(settings)})`;
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  switch (answer.status) {
    case 'known':
      return;
    case 'revoked':
      throw new VbatchError(
        'refused',
        `${whose} shows a host key that line ${answer.line} of ${answer.file} marks as revoked (${shown}). ` +
          'It is not connected to; ask who runs the host for its new key.',
      );
    case 'changed':
      throw changedKey(settings, shown, answer);
    case 'unknown':
      // As ssh does: a key that is known without the port is known with it.
      if (port !== 22 && policy.known.check(host, 22, key).status === 'known') return;
      return meet(settings, key, policy);
    default:
      return answer satisfies never;
  }
}

/** What to tell where a line of a file holds another key than the host shows. */
export function changedKey(settings: SshSettings, shown: string, { file, line }: LinePlace): VbatchError {
  const { host, port } = keyName(settings);
  return new VbatchError(
    'refused',
    `The host key of ${settings.target} (${address(settings)}) has changed: it shows ${shown}, and line ` +
      `${line} of ${file} has another one. Somebody may be listening in, or the host was installed anew. ` +
      `If you know that it was, remove the old key: ssh-keygen -f '${file}' -R '${hostName(host, port)}'`,
  );
}

/** A host that is met for the first time. */
async function meet(settings: SshSettings, key: Buffer, policy: HostKeyPolicy): Promise<void> {
  const { host, port } = keyName(settings);
  const name = hostName(host, port);
  const question = {
    host: settings.target,
    type: keyType(key) ?? 'unknown',
    fingerprint: fingerprint(key),
  };
  const remembered = `${name} ${question.fingerprint}`;
  if (policy.memory.hostKeys.has(remembered)) return;
  const strict = settings.strictHostKeyChecking;
  if (strict === 'accept-new' || strict === 'no') return remember(settings, key, policy);
  const answer = strict === 'yes' ? 'refuse' : await policy.prompter.hostKey(question);
  switch (answer) {
    case 'always':
      return remember(settings, key, policy);
    case 'once':
      policy.memory.hostKeys.add(remembered);
      return;
    case 'refuse':
      throw new VbatchError(
        'refused',
        `The host key of ${settings.target} (${address(settings)}) is not known: ` +
          `${question.type} ${question.fingerprint}. ` +
          (strict === 'yes'
            ? 'StrictHostKeyChecking is yes, so add its key to your known_hosts file first.'
            : `Compare it with the host's own, and confirm it once, for example with: ssh ${settings.target}`),
      );
    default:
      return answer satisfies never;
  }
}

async function remember(settings: SshSettings, key: Buffer, policy: HostKeyPolicy): Promise<void> {
  const { host, port } = keyName(settings);
  const file = settings.userKnownHostsFiles[0];
  policy.memory.hostKeys.add(`${hostName(host, port)} ${fingerprint(key)}`);
  if (file === undefined) return;
  try {
    await addKnownHost(file, host, port, key, settings.hashKnownHosts);
    policy.log(`added the ${keyType(key)} host key of ${settings.target} to ${file}: ${fingerprint(key)}`);
  } catch (error) {
    policy.log(`the host key of ${settings.target} was not added to ${file}: ${(error as Error).message}`);
  }
}
