/** File descriptors that a process has from whoever started it, without having been given them. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Where Linux tells the flags of each descriptor. */
const folder = '/proc/self/fdinfo';
/** `O_CLOEXEC` of open(2) on Linux. */
const closedOnExec = 0o2000000;

/**
 * Closes what a shell had open when it started this process, such as the 200 of `exec 200>lock`: a
 * server that kept it would hold the lock, or the pipe, for as long as it lives. `kept` stays open, and
 * so do the standard streams.
 *
 * Inherited ones are told from Node's own by what every descriptor of Node has and no inherited one can
 * have: it would be closed on exec. Node marks the lowest of the inherited ones so as well, from 0 to
 * the first free one above 15; but a Node that starts another one has closed them by that. On macOS
 * libuv passes on nothing that was not asked for (POSIX_SPAWN_CLOEXEC_DEFAULT), and nothing is done here.
 */
export function closeInherited(kept: number): void {
  for (const descriptor of descriptors()) {
    if (descriptor > 2 && descriptor !== kept && isInherited(descriptor)) close(descriptor);
  }
}

function descriptors(): number[] {
  try {
    return readdirSync(folder).map(Number);
  } catch {
    return [];
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const [, flags] = /^flags:\s*(\d+)$/m.exec(readFileSync(`${folder}/${descriptor}`, 'utf8')) ?? [];
    return flags !== undefined && (Number.parseInt(flags, 8) & closedOnExec) === 0;
  } catch {
    // The one that listed the folder is gone by now.
    return false;
  }
}

function close(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // Whatever close(2) reports, the descriptor is free afterwards.
  }
}
