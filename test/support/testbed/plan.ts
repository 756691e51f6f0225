/** What a host is to be, and the files that make it so. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeKey } from './keys.ts';
import { isExecutable, sftpServer } from './possible.ts';

export interface HostFile {
  readonly text: string;
  /** 0644 by default. */
  readonly mode?: number;
}

export interface HostOptions {
  /** Also its host name, and its name in the client's configuration. */
  readonly name: string;
  /** How many GPUs its `nvidia-smi` shows; without any it has no `nvidia-smi`. */
  readonly gpus?: number;
  /** Root's login shell, /bin/bash by default. */
  readonly shell?: string;
  /** The size of its disk, which is memory, as `mount -t tmpfs` takes it; 64m by default. */
  readonly disk?: string;
  /** Lines of sshd_config. They come first, so they win. */
  readonly sshd?: readonly string[];
  /** Files by their path. They are there before it boots for the first time, and belong to root. */
  readonly files?: Readonly<Record<string, HostFile>>;
  /** Folders of this machine by the paths at which it has them, too, as over NFS. */
  readonly shares?: Readonly<Record<string, string>>;
  /** Names of programs that it lacks. */
  readonly without?: readonly string[];
  /** It has no programs but busybox, under all its names, and sshd with its SFTP server. */
  readonly busyboxOnly?: boolean;
}

/** What every GPU of a bed has, in MiB. */
export const gpuMemory = 24_576;

/** The ids of a host's GPUs. No two hosts of a bed have the same. */
export function gpuIds(number: number, count: number): string[] {
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  return Array.from(
    { length: count },
    (_, gpu) => `GPU-bed00000-0000-0000-0000-00000000${hex(number)}${hex(gpu)}`,
  );
}

/**
 * Writes a host's plan, which inside.sh carries out, and answers with its public host key, `TYPE BASE64`.
 * `number` is the host's in its network, `keys` are the public keys that get into every account, a line each.
 */
export async function writePlan(
  folder: string,
  number: number,
  options: HostOptions,
  keys: string,
): Promise<string> {
  const { name, gpus = 0, sshd = [], files = {}, shares = {}, without = [], busyboxOnly = false } = options;
  const { shell = busyboxOnly ? '/bin/sh' : '/bin/bash' } = options;
  if (!isExecutable(shell)) throw new Error(`Host ${name} cannot have ${shell}: this machine lacks it.`);
  const own = (script: string) => readFileSync(join(import.meta.dirname, script), 'utf8');
  const put = (path: string, text: string, mode = 0o644) => place(join(folder, 'files', path), text, mode);

  put('etc/passwd', `root:x:0:0:root:/root:${shell}\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n`);
  put('etc/group', 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n');
  put('etc/shadow', 'root:*:19000:0:99999:7:::\n', 0o600);
  put('etc/hostname', `${name}\n`);
  put('etc/hosts', `127.0.0.1 localhost ${name}\n`);
  put('etc/bed/init', own('init.sh'));
  put('etc/bed/authorized_keys', keys);
  put('etc/bed/sshd_config', sshdConfig(sshd));
  if (gpus > 0) {
    const lines = gpuIds(number, gpus).map((id, gpu) => `${gpu}|${id}|NVIDIA Bed|${gpuMemory}\n`);
    put('etc/bed/gpus', lines.join(''));
    put('etc/bed/gpu-users', '');
    put('usr/bin/nvidia-smi', own('nvidia-smi.sh'), 0o755);
  }
  for (const [path, { text, mode }] of Object.entries(files)) put(path, text, mode);
  place(join(folder, 'without'), without.join('\n'), 0o644);
  const shared = Object.entries(shares).map(([there, here]) => `${here}\t${there}\n`);
  place(join(folder, 'shares'), shared.join(''), 0o644);
  if (busyboxOnly) place(join(folder, 'busybox'), '', 0o644);
  return makeKey(join(folder, 'files/etc/bed/ssh_host_ed25519_key'), name);
}

/** PAM is not used: it would ask this machine's own accounts. Homes are left without an `.ssh`. */
function sshdConfig(first: readonly string[]): string {
  const lines = [
    ...first,
    'HostKey /etc/bed/ssh_host_ed25519_key',
    'AuthorizedKeysFile /etc/bed/authorized_keys',
    'PidFile none',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'PrintMotd no',
    'LogLevel VERBOSE',
  ];
  // sshd takes the first of other settings, but does not start when a subsystem is there twice.
  if (!first.some((line) => /^\s*Subsystem\s/i.test(line))) lines.push(`Subsystem sftp ${sftpServer()}`);
  return `${lines.join('\n')}\n`;
}

function place(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}
