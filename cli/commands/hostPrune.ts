import type { Command } from 'commander';
import type { Client } from '../../server/client/client.ts';
import { type ErrorCode, errorEntry, VbatchError } from '../../server/protocol/errors.ts';
import type { Pruned } from '../../server/protocol/hosts.ts';
import { formatSize } from '../../server/protocol/quantities.ts';
import { canAsk, confirm } from '../ask.ts';
import { harmless } from '../render/text.ts';
import { ageText } from '../render/times.ts';
import { type Context, withExamples } from './context.ts';

type Other = Pruned['others'][number];

/** `vctl host prune [NAME…] [--all]` */
export function addHostPrune(group: Command, context: Context): void {
  const command = group
    .command('prune')
    .argument('[host...]', 'names of hosts; all that are online where none is given')
    .description('remove from hosts what nothing needs any more, and say how much that was')
    .option('--all', 'ask also about what other servers of yours have left there')
    .action(async (given: string[], { all = false }: { all?: boolean }) => {
      if (all && !canAsk(context.io)) {
        throw new VbatchError('refused', '--all asks before it removes anything, and there is no terminal');
      }
      const client = await context.connect();
      const names = given.length > 0 ? given : await onlineHosts(client);
      for (const name of names) await orReport(context, () => prune(context, client, name, all));
    });
  withExamples(command, ['vctl host prune', 'vctl host prune gpu-box --all']);
}

async function onlineHosts(client: Client): Promise<string[]> {
  return (await client.hosts()).filter(({ state }) => state === 'online').map(({ name }) => name);
}

async function prune(context: Context, client: Client, name: string, all: boolean): Promise<void> {
  const { stdout } = context.io;
  const pruned = await client.pruneHost(name, []);
  stdout.write(`${harmless(name)}: ${prunedText(pruned)}\n`);
  const idle = pruned.others.filter(({ busy }) => !busy);
  if (!all) {
    if (idle.length > 0) stdout.write(`${harmless(name)}: ${othersText(idle)}; --all asks about them\n`);
    return;
  }
  const chosen: string[] = [];
  for (const other of idle) {
    if (await confirm(context.io, `${name}: remove ${otherText(other, context.now())}`))
      chosen.push(other.folder);
  }
  if (chosen.length === 0) return;
  stdout.write(`${harmless(name)}: ${prunedText(await client.pruneHost(name, chosen))}\n`);
}

/** What was removed, and how much that was. */
function prunedText({ freed, attempts, versions, environments, folders }: Pruned): string {
  const parts = [
    counted(attempts, 'attempt'),
    counted(versions, 'old version'),
    counted(environments, 'environment'),
    counted(folders, "other server's folder", "other servers' folders"),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing to remove' : `removed ${parts.join(', ')}: ${formatSize(freed)} freed`;
}

function othersText(others: readonly Other[]): string {
  const bytes = others.reduce((sum, other) => sum + other.bytes, 0);
  const holders = counted(others.length, 'other server');
  return `${holders} of yours ${others.length === 1 ? 'has' : 'have'} left ${formatSize(bytes)}`;
}

function otherText({ folder, bytes, usedAt }: Other, now: number): string {
  const last = usedAt === null ? '' : `, last used ${ageText(usedAt, now)} ago`;
  return `the folder ${folder} of another server (${formatSize(bytes)}${last})`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return count === 0 ? '' : `${count} ${count === 1 ? one : many}`;
}

/** One host that is out of reach stops none of the others. */
async function orReport(context: Context, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof VbatchError) || !ofOneHost.has(error.code)) throw error;
    context.io.stderr.write(`vctl: ${harmless(error.message)}\n`);
    context.exitWith(errorEntry(error.code).exitCode);
  }
}

const ofOneHost: ReadonlySet<ErrorCode> = new Set(['notFound', 'unreachable', 'refused']);
