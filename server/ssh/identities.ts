/** The keys to show to a server, in ssh's own order, whether an agent or a file has them. */
import type { ParsedKey } from 'ssh2';
import { type AgentKey, listAgentKeys, signByAgent } from './agent.ts';
import { isSupported, type KeyFile, type PrivateKey, parse, readKeyFile, signWith } from './keys.ts';
import { keyType } from './knownHosts.ts';
import type { SshSettings } from './settings.ts';

export interface Identity {
  /** For messages. */
  label: string;
  publicKey: ParsedKey;
  /** Null where the key stays locked. */
  sign(data: Buffer, hash: 'sha1' | 'sha256' | 'sha512' | undefined): Promise<Buffer | null>;
}

export interface Identities {
  /** To be tried one after another. */
  keys: readonly Identity[];
  /** Keys whose public half is hidden: only once a passphrase has opened them can they be shown. */
  hidden: readonly (KeyFile & { kind: 'locked' })[];
  /** Labels of keys that only the system's own ssh can use: certificates, hardware keys. */
  foreign: readonly string[];
  /** Remarks on agents and files that are of no use, for messages. */
  remarks: readonly string[];
}

/** Opens a locked file; null where its passphrase is not told. */
export type Unlock = (file: KeyFile & { kind: 'locked' }) => Promise<PrivateKey | null>;

/** Looks for all keys that the settings name, without asking anybody anything yet. */
export async function findIdentities(settings: SshSettings, unlock: Unlock): Promise<Identities> {
  const remarks: string[] = [];
  const foreign: string[] = [];
  const socket = settings.identityAgent;
  const inAgent = await agentKeys(socket, remarks);
  const files: KeyFile[] = [];
  for (const path of settings.identityFiles) {
    const file = await readKeyFile(path);
    if (file?.kind === 'unusable') remarks.push(`${file.file}: ${file.why}`);
    else if (file?.kind === 'foreign') foreign.push(`${file.type} in ${file.file}`);
    else if (file) files.push(file);
  }

  const named: Identity[] = [];
  const others: Identity[] = [];
  const held = new Set<string>();
  for (const { blob, comment } of inAgent) {
    const type = keyType(blob) ?? 'unknown';
    const publicKey = isSupported(type) ? parse(blob) : null;
    if (publicKey === null || socket === null) {
      if (!settings.identitiesOnly) foreign.push(`${type} in the agent`);
      continue;
    }
    const identity: Identity = {
      label: `${comment || type} of the agent`,
      publicKey,
      sign: (data, hash) => signByAgent(socket, publicKey, data, hash),
    };
    if (files.some((file) => isOf(file, blob))) {
      named.push(identity);
      held.add(blob.toString('base64'));
    } else if (!settings.identitiesOnly) {
      others.push(identity);
    }
  }

  const own: Identity[] = [];
  const hidden: (KeyFile & { kind: 'locked' })[] = [];
  for (const file of files) {
    const publicKey = publicHalf(file);
    if (publicKey && held.has(publicKey.getPublicSSH().toString('base64'))) continue;
    if (file.kind === 'open') own.push(ofKey(file.file, file.key));
    else if (file.kind !== 'locked') remarks.push(`${file.file}: its private half is nowhere`);
    else if (publicKey === null) hidden.push(file);
    else {
      own.push({
        label: file.file,
        publicKey,
        sign: async (data, hash) => {
          const key = await unlock(file);
          return key && signWith(key, data, hash);
        },
      });
    }
  }
  return { keys: [...named, ...others, ...own], hidden, foreign, remarks };
}

/** An identity of a key that is open. */
export function ofKey(label: string, key: PrivateKey): Identity {
  return { label, publicKey: key.publicKey, sign: async (data, hash) => signWith(key, data, hash) };
}

async function agentKeys(socket: string | null, remarks: string[]): Promise<AgentKey[]> {
  if (socket === null) return [];
  try {
    return await listAgentKeys(socket);
  } catch (error) {
    remarks.push(`the agent at ${socket}: ${(error as Error).message}`);
    return [];
  }
}

function publicHalf(file: KeyFile): ParsedKey | null {
  switch (file.kind) {
    case 'open':
      return file.key.publicKey;
    case 'locked':
    case 'public':
      return file.publicKey;
    case 'foreign':
    case 'unusable':
      return null;
    default:
      return file satisfies never;
  }
}

function isOf(file: KeyFile, blob: Buffer): boolean {
  return publicHalf(file)?.getPublicSSH().equals(blob) ?? false;
}
