/** Asks for a pool. */
import * as vscode from 'vscode';
import type { PoolView } from '../../server/protocol/tasks.ts';
import type { Connection } from '../connection/connection.ts';
import { cpusText, gpusText } from '../hosts/hostLook.ts';

/**
 * Null for "what the script says"; undefined where the question was left. `last` comes first.
 * @param workspace the folder whose pools are offered as well; null for none
 */
export async function pickPool(
  connection: Connection,
  workspace: string | null,
  last: string | null,
): Promise<string | null | undefined> {
  const pools = connection.client().then((client) => client.pools(workspace));
  const items = pools.then((found) => {
    const own = {
      label: vscode.l10n.t('As the script says'),
      detail: vscode.l10n.t('Its #VBATCH line, or the default pool'),
      pool: null,
    };
    const others = found.map((pool) => ({ label: pool.name, ...describe(pool), pool: pool.name }));
    const all = [...others, own];
    return [...all.filter(({ pool }) => pool === last), ...all.filter(({ pool }) => pool !== last)];
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Pool to run on'),
    placeHolder: vscode.l10n.t('Remembered for this file'),
    matchOnDescription: true,
  });
  return picked?.pool;
}

/** What a person chooses by: the shape, and how busy it is. */
export function describe(pool: PoolView): { description: string; detail: string } {
  const shape = [
    ...(pool.cpus > 0 ? [cpusText(pool.cpus, vscode.l10n)] : []),
    ...(pool.gpus > 0 ? [gpusText(pool.gpus, vscode.l10n)] : []),
  ];
  return {
    description: shape.join(', '),
    detail: vscode.l10n.t('{0} — {1} running, {2} queued', pool.hosts.join(', '), pool.running, pool.queued),
  };
}
