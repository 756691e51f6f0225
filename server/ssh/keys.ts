/** Key files: what is in them, and how one with a passphrase is opened. */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import ssh2, { type ParsedKey } from 'ssh2';
import type { Prompter } from './prompter.ts';
import { FieldReader } from './wire.ts';

export interface PrivateKey {
  publicKey: ParsedKey;
  secret: KeyObject;
}

export type KeyFile =
  | { kind: 'open'; file: string; key: PrivateKey }
  /** Needs a passphrase. Its public half is not known where an old format hides it. */
  | { kind: 'locked'; file: string; publicKey: ParsedKey | null; contents: Buffer }
  /** A public key alone: an agent has the private one. */
  | { kind: 'public'; file: string; publicKey: ParsedKey }
  /** A type that ssh2 cannot sign with, such as one of a hardware key. */
  | { kind: 'foreign'; file: string; type: string }
  | { kind: 'unusable'; file: string; why: string };

const badFormat = (file: string): KeyFile => ({
  kind: 'unusable',
  file,
  why: `its format is not known: ssh-keygen -p -f '${file}' writes it anew`,
});

/** Reads a key file, or its public half beside it. Null where there is neither. */
export async function readKeyFile(file: string): Promise<KeyFile | null> {
  let contents: Buffer;
  let isOpenToOthers: boolean;
  try {
    const { mode, uid } = await stat(file);
    contents = await readFile(file);
    isOpenToOthers = (mode & 0o077) !== 0 && uid === process.getuid?.();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      return { kind: 'unusable', file, why: (error as Error).message };
    }
    const publicHalf = await readPublic(`${file}.pub`);
    return publicHalf && fromPublic(file, publicHalf);
  }
  if (!contents.includes('PRIVATE KEY')) return fromPublic(file, contents);
  if (isOpenToOthers) return { kind: 'unusable', file, why: `others can read it: chmod 600 '${file}'` };

  const header = readHeader(contents);
  if (header && !isSupported(header.type)) return { kind: 'foreign', file, type: header.type };
  if (header?.encrypted || contents.includes('Proc-Type: 4,ENCRYPTED')) {
    const publicHalf = header?.publicBlob ?? (await readPublic(`${file}.pub`));
    return { kind: 'locked', file, publicKey: publicHalf && parse(publicHalf), contents };
  }
  const publicKey = parse(contents);
  const pem = publicKey?.getPrivatePEM();
  return publicKey && pem
    ? { kind: 'open', file, key: { publicKey, secret: createPrivateKey(pem) } }
    : badFormat(file);
}

async function readPublic(file: string): Promise<Buffer | null> {
  return readFile(file).catch(() => null);
}

function fromPublic(file: string, contents: Buffer): KeyFile {
  const publicKey = parse(contents);
  if (publicKey) return { kind: 'public', file, publicKey };
  const type = /^\s*([\w@.-]+)\s+AAAA/.exec(contents.toString('latin1'))?.[1];
  return type ? { kind: 'foreign', file, type } : badFormat(file);
}

/** A key in one of the formats that ssh2 reads, or null. */
export function parse(contents: Buffer | string): ParsedKey | null {
  const key = ssh2.utils.parseKey(contents);
  if (key instanceof Error) return null;
  return Array.isArray(key) ? (key[0] ?? null) : key;
}

/** Whether ssh2 can sign with keys of this type: not with certificates nor hardware keys. */
export function isSupported(type: string): boolean {
  return /^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp(256|384|521))$/.test(type);
}

interface Header {
  encrypted: boolean;
  type: string;
  publicBlob: Buffer;
}

/** The part of OpenSSH's own format that is never encrypted (PROTOCOL.key), or null for other formats. */
function readHeader(contents: Buffer): Header | null {
  const armour = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(
    contents.toString('latin1'),
  );
  const bytes = Buffer.from(armour?.[1] ?? '', 'base64');
  const magic = 'openssh-key-v1\0';
  if (bytes.toString('latin1', 0, magic.length) !== magic) return null;
  try {
    const fields = new FieldReader(bytes.subarray(magic.length));
    const encrypted = fields.text() !== 'none';
    fields.string(); // The name of the key derivation,
    fields.string(); // its options,
    fields.uint32(); // and the number of keys, which is always 1.
    const publicBlob = fields.string();
    return { encrypted, type: new FieldReader(publicBlob).text(), publicBlob };
  } catch {
    return null;
  }
}

/** Signs as SSH wants it: RSA with `hash`, the other types with the only hash they have. */
export function signWith(key: PrivateKey, data: Buffer, hash: string | undefined): Buffer {
  const { type } = key.publicKey;
  const own = { 'ecdsa-sha2-nistp256': 'sha256', 'ecdsa-sha2-nistp384': 'sha384' }[type as string];
  const fallback = type === 'ssh-ed25519' ? null : type === 'ecdsa-sha2-nistp521' ? 'sha512' : 'sha1';
  return sign(hash ?? own ?? fallback, data, key.secret);
}

/** Keys that a passphrase has opened, or is being asked for, by the hash of their files. */
export type OpenedKeys = Map<string, Promise<PrivateKey | null>>;

/** Asks for the passphrase of a file, up to `attempts` times. Null where nobody knows it. */
export function unlock(
  { file, contents }: KeyFile & { kind: 'locked' },
  question: { host: string; attempts: number },
  prompter: Prompter,
  opened: OpenedKeys,
): Promise<PrivateKey | null> {
  const name = createHash('sha256').update(contents).digest('hex');
  const known = opened.get(name);
  if (known) return known;
  const asked = ask();
  // Others who need it meanwhile wait for the same answer; one that was not given may be asked for again.
  opened.set(name, asked);
  const forget = (): void => void opened.delete(name);
  void asked.then((key) => key ?? forget(), forget);
  return asked;

  async function ask(): Promise<PrivateKey | null> {
    for (let attempt = 1; attempt <= question.attempts; attempt++) {
      const passphrase = await prompter.passphrase({ host: question.host, file, attempt });
      if (passphrase === null) return null;
      const key = await decrypt(contents, passphrase);
      if (key) return key;
    }
    return null;
  }
}

/** Decrypts in a worker. Null where the passphrase is wrong. */
async function decrypt(contents: Buffer, passphrase: string): Promise<PrivateKey | null> {
  const worker = new Worker(new URL('./keyWorker.cjs', import.meta.url), {
    workerData: { contents: contents.toString('latin1'), passphrase },
  });
  const answer = await new Promise<{ secret: KeyObject; blob: Uint8Array } | null>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the worker has ended without an answer')));
  });
  const publicKey = answer && parse(Buffer.from(answer.blob));
  return publicKey && { publicKey, secret: answer.secret };
}
