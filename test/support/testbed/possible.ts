/** Whether hosts can be made here at all. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where programs are looked for, here and on hosts. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What keeper.sh and its companions call, and the Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  ip: 'iproute2',
  ss: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  bash: 'bash',
};

/** Where OpenSSH has its SFTP server, by distribution. */
const sftpServers = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
];

/** In new namespaces, what a bed does in them: a disk, an overlay, two networks joined by a link and a bridge. */
const probe = `
mount -t tmpfs probe "$1" && cd "$1"
mkdir up work merged
mount -t overlay probe -o lowerdir=/usr,upperdir=up,workdir=work merged
: > net
unshare --net=net true
ip link add probe type veth peer name uplink netns ./net
nsenter --net=net ip link add bridge type bridge
unshare --mount --pid --fork --kill-child --uts --ipc --mount-proc true
`;

/**
 * Why no test bed can be put up here, as half a sentence, or null where one can. It tries, which takes some
 * 50 ms. Tests that need a bed are skipped for this reason, and say so:
 *
 *     const obstacle = possible();
 *     if (obstacle !== null) console.warn(`NOT TESTED: hosts behind SSH (${obstacle})`);
 *     describe.skipIf(obstacle !== null)('…', () => …
 */
export function possible(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  for (const [program, source] of Object.entries(programs)) {
    if (!installed(program)) return `${program} is missing; Debian has it in ${source}`;
  }
  if (sftpServer() === undefined) return 'the SFTP server of OpenSSH is missing';
  const folder = mkdtempSync(join(tmpdir(), 'vbatch-probe-'));
  const { status, stderr } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', '--net', 'sh', '-ec', probe, 'sh', folder],
    { encoding: 'utf8', env: { PATH: systemPath } },
  );
  rmSync(folder, { recursive: true });
  return status === 0 ? null : `the kernel refused: ${stderr.trim().replaceAll('\n', '; ')}`;
}

/** Where this machine, and so each host, has a program. */
export function installed(program: string): string | undefined {
  return systemPath
    .split(':')
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/** The path of the SFTP server. */
export function sftpServer(): string | undefined {
  return sftpServers.find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
