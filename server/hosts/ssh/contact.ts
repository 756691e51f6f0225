/** The first contact with a machine over SSH: what it has, and whether its folder is ready. */
import { randomBytes } from 'node:crypto';
import { decodeBytes, encodeBytes } from '../../protocol/bytes.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { quote } from '../agent/orders.ts';
import { contactScript, scriptsVersion } from '../agent/scripts.ts';
import { cgroupLimits, nvidia, rocm } from '../detect.ts';
import type { AttemptKey, HostFacts } from '../host.ts';
import { readMarked } from '../marked.ts';

/** Start-up files and drivers may take their time. Milliseconds. */
const patience = 30_000;

export interface Contact {
  /** What a command finds on PATH. */
  path: string;
  /** The user's login shell. */
  shell: string;
  /** Path of a bash, or null. */
  bash: string | null;
  hasProc: boolean;
  /** Kernel and processor, as `uname -sm` says. */
  system: string;
  facts: HostFacts;
  /** The host's folder, absolute. */
  folder: string;
  /** Whether this version's scripts are there. */
  hasScripts: boolean;
  /** Attempts of which there are still files. */
  attempts: AttemptKey[];
  /** Seconds by which its clock is ahead of ours. */
  clockSkew: number;
}

/** Rejects with an Error whose message is a clause. */
export async function makeContact(connection: SshConnection, folder: string): Promise<Contact> {
  const mark = `vbatch-contact-${randomBytes(12).toString('hex')}`;
  const settings = { _vb_mark: mark, _vb_folder: folder, _vb_scripts: scriptsVersion };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}\n`);
  // Whatever the login shell is, it understands this; the rest is read by a POSIX shell.
  const channel = await connection.exec('exec /bin/sh -s');
  channel.exit.catch(() => {});
  channel.stdin.end(encodeBytes(`${lines.join('')}${contactScript}`));
  const asked = Date.now();
  const output = await readMarked(channel.stdout, { start: `${mark}\n`, end: `${mark} end\n` }, patience);
  channel.close();
  if (!Buffer.isBuffer(output)) throw new Error(`its shell ${output}`);
  return readContact(decodeBytes(output), (asked + Date.now()) / 2, connection.hostName);
}

/**
 * @param now when the machine told its time, by our clock.
 * @param address by which we have reached it.
 */
export function readContact(text: string, now: number, address: string): Contact {
  const told = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    const name = at < 0 ? line : line.slice(0, at);
    told.set(name, [...(told.get(name) ?? []), line.slice(at + 1)]);
  }
  const one = (name: string) => told.get(name)?.[0];
  const all = (name: string) => told.get(name) ?? [];
  const folder = one('folder') ?? '';
  const trouble = one('trouble');
  if (trouble !== undefined) {
    throw new Error(
      `its folder ${folder} cannot be written: ${trouble}; name another with \`folder:\` in the configuration`,
    );
  }
  return {
    path: one('path') ?? '/usr/bin:/bin',
    shell: one('shell') ?? '/bin/sh',
    bash: one('bash') ?? null,
    hasProc: !told.has('noproc'),
    system: one('system') ?? '',
    facts: { ...readFacts(one, all), address },
    folder,
    hasScripts: told.has('scripts'),
    attempts: all('attempt').filter((key) => /^\d+\.\d+$/.test(key)),
    clockSkew: Number(one('time')) - now / 1000,
  };
}

function readFacts(
  one: (name: string) => string | undefined,
  all: (name: string) => string[],
): Omit<HostFacts, 'address'> {
  const files = new Map(
    all('limit').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
  files.set('/proc/self/cgroup', all('cgroup').join('\n'));
  const limits = cgroupLimits((path) => files.get(path) ?? null);
  const green = nvidia.parse(all('nvidia').join('\n'));
  return {
    cpus: Math.min(Number(one('cpus')) || 1, limits.cpus),
    memory: Math.min(Number(one('memory')) || 0, limits.memory),
    gpus: green.length > 0 ? green : rocm.parse(all('rocm').join('\n')),
  };
}
