/** The processes of a host, seen from this machine. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface HostProcess {
  /** As the host knows it. */
  readonly pid: number;
  /** As this machine knows it. */
  readonly outerPid: number;
  /** Its arguments, with spaces between. */
  readonly command: string;
}

/** The living processes (zombies are none) that share the process ids of `init`, which is one of them. */
export function processesWith(init: number): HostProcess[] {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => look(Number(name), namespace))
    .filter((process) => process !== undefined)
    .sort((a, b) => a.pid - b.pid);
}

function look(outerPid: number, namespace: string): HostProcess | undefined {
  try {
    if (readlinkSync(`/proc/${outerPid}/ns/pid`) !== namespace) return undefined;
    const status = readFileSync(`/proc/${outerPid}/status`, 'latin1');
    if (/^State:\s+[ZX]/m.test(status)) return undefined;
    const command = readFileSync(`/proc/${outerPid}/cmdline`, 'utf8');
    return {
      pid: Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]),
      outerPid,
      command: command.replace(/\0+$/, '').replaceAll('\0', ' '),
    };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
