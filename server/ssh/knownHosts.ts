/** Reads and extends known_hosts files. Their format is in sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { appendFile, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FieldReader } from './wire.ts';

/** Where a line stands. Lines are counted from 1. */
export interface LinePlace {
  file: string;
  line: number;
}

export type HostKeyAnswer =
  | { status: 'known' }
  | { status: 'unknown' }
  /** Only other keys are known, whatever their type: the first of the same type, or else the first. */
  | ({ status: 'changed' } & LinePlace)
  /** Marked `@revoked`. */
  | ({ status: 'revoked' } & LinePlace);

interface Entry extends LinePlace {
  marker: 'plain' | 'cert-authority' | 'revoked';
  hosts: string;
  type: string;
  key: Buffer;
}

/** What the files said when they were read. */
export class KnownHosts {
  constructor(private readonly entries: readonly Entry[]) {}

  /** Is this the key of that host? `key` is the public key as it crosses the wire. */
  check(host: string, port: number, key: Buffer): HostKeyAnswer {
    const here = this.about(host, port);
    const revoked = here.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
    if (revoked) return { status: 'revoked', file: revoked.file, line: revoked.line };
    const plain = here.filter((entry) => entry.marker === 'plain');
    if (plain.some((entry) => entry.key.equals(key))) return { status: 'known' };
    const changed = plain.find((entry) => entry.type === keyType(key)) ?? plain[0];
    if (changed) return { status: 'changed', file: changed.file, line: changed.line };
    return { status: 'unknown' };
  }

  /** Types of the keys that are known for a host, such as `ssh-ed25519`. */
  types(host: string, port: number): string[] {
    const plain = this.about(host, port).filter((entry) => entry.marker === 'plain');
    return [...new Set(plain.map((entry) => entry.type))];
  }

  /** Whether a certificate authority is known for a host. */
  hasAuthority(host: string, port: number): boolean {
    return this.about(host, port).some((entry) => entry.marker === 'cert-authority');
  }

  private about(host: string, port: number): Entry[] {
    const name = hostName(host, port);
    return this.entries.filter((entry) => matchesHosts(entry.hosts, name));
  }
}

/** Reads known_hosts files; what does not exist or cannot be read holds nothing. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHosts> {
  const entries: Entry[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    entries.push(...parseKnownHosts(file, text));
  }
  return new KnownHosts(entries);
}

/** The lines of a file that hold a key. Others are passed over, as ssh does. */
export function parseKnownHosts(file: string, text: string): Entry[] {
  const entries: Entry[] = [];
  text.split('\n').forEach((line, index) => {
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) return;
    const marker = fields[0]?.startsWith('@') ? fields.shift()?.slice(1) : 'plain';
    if (marker !== 'plain' && marker !== 'cert-authority' && marker !== 'revoked') return;
    const [hosts, type, base64] = fields;
    if (hosts === undefined || type === undefined || base64 === undefined) return;
    const key = Buffer.from(base64, 'base64');
    if (keyType(key) !== type) return;
    entries.push({ file, line: index + 1, marker, hosts, type, key });
  });
  return entries;
}

/** How a host stands in the file: `[host]:port` unless the port is 22. */
export function hostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) {
    const [, kind, salt, hash] = hosts.split('|');
    return kind === '1' && salt !== undefined && hash === hashName(Buffer.from(salt, 'base64'), name);
  }
  let matches = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, name)) continue;
    if (isNegated) return false;
    matches = true;
  }
  return matches;
}

/** `*` stands for any characters and `?` for one; brackets are themselves. */
function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.split(/([*?])/).map((part) => {
    if (part === '*') return '.*';
    return part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's').test(name);
}

function hashName(salt: Buffer, name: string): string {
  return createHmac('sha1', salt).update(name).digest('base64');
}

/** The type that a public key says of itself, or null where it is none. */
export function keyType(key: Buffer): string | null {
  try {
    return new FieldReader(key).text();
  } catch {
    return null;
  }
}

/** The fingerprint as OpenSSH shows it: `SHA256:…`. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Adds a key, with the host's name in clear or hashed. */
export async function addKnownHost(
  file: string,
  host: string,
  port: number,
  key: Buffer,
  hashed: boolean,
): Promise<void> {
  const name = hostName(host, port);
  const salt = randomBytes(20);
  const hosts = hashed ? `|1|${salt.toString('base64')}|${hashName(salt, name)}` : name;
  await appendLines(file, `${hosts} ${keyType(key)} ${key.toString('base64')}\n`);
}

/** Adds whole lines. Makes the file, and its folder, for the user alone where they do not exist. */
export async function appendLines(file: string, lines: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await appendFile(file, (await endsInLine(file)) ? lines : `\n${lines}`, { mode: 0o600 });
}

/** Whether what is appended begins a new line. */
async function endsInLine(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return true;
  try {
    const { size } = await handle.stat();
    if (size === 0) return true;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 10;
  } finally {
    await handle.close();
  }
}
