/** Removing what a host's folder holds and nothing needs any more. What that is, prune.sh says. */
import type { Pruned } from '../protocol/hosts.ts';
import { pruneScript, scriptsVersion } from './agent/scripts.ts';
import type { Leavings } from './host.ts';
import type { Logs } from './logs.ts';
import type { Leftovers, Machine, PruneRequest } from './machine.ts';
import { type ReadingShell, tell } from './told.ts';

/** Many files on a slow disk take their time. Milliseconds. */
const patience = 5 * 60_000;

/** Prunes `folder`, a host's, which may begin with `~/`. Rejects with an Error whose message is a clause. */
export async function pruneFolder(
  shell: ReadingShell,
  folder: string,
  { attempts, folders, look }: PruneRequest,
): Promise<Leftovers> {
  const variables = {
    _vb_folder: folder,
    _vb_scripts: scriptsVersion,
    _vb_attempts: attempts.join(' '),
    _vb_others: folders.join(' '),
    _vb_look: look,
  };
  const told = await tell(shell, pruneScript, variables, patience);
  const freed = told.all('freed').map((text) => {
    const [kind = '', kilobytes] = text.split(' ');
    return { kind, bytes: Number(kilobytes) * 1024 };
  });
  const count = (kind: string) => freed.filter((each) => each.kind === kind).length;
  return {
    pruned: {
      freed: freed.reduce((sum, { bytes }) => sum + bytes, 0),
      attempts: count('attempt'),
      versions: count('version'),
      environments: count('environment'),
      folders: count('folder'),
      others: told.all('other').map(readOther),
    },
    attempts: [...new Set(told.all('left').filter((key) => /^\d+\.\d+$/.test(key)))],
  };
}

function readOther(text: string): Pruned['others'][number] {
  const [folder = '', kilobytes, busy, seconds = ''] = text.split(' ');
  return {
    folder,
    bytes: Number(kilobytes) * 1024,
    usedAt: /^\d+$/.test(seconds) ? new Date(Number(seconds) * 1_000).toISOString() : null,
    busy: busy === '1',
  };
}

/** See `Host.prune`. */
export async function pruneMachine(
  { machine, logs }: { machine: Machine; logs: Logs },
  { isKnown, folders }: Leavings,
): Promise<Pruned> {
  const { pruned, attempts } = await machine.prune({ attempts: [], folders, look: 'all' });
  const unknown = attempts.filter((key) => !isKnown(key));
  if (unknown.length === 0) return pruned;
  await logs.forget(unknown);
  const rest = await machine.prune({ attempts: unknown, folders: [], look: 'nothing' });
  return {
    ...pruned,
    freed: pruned.freed + rest.pruned.freed,
    attempts: rest.pruned.attempts,
    versions: pruned.versions + rest.pruned.versions,
    environments: pruned.environments + rest.pruned.environments,
  };
}
