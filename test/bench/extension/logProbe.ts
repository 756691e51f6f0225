/**
 * Runs inside the extension host, beside the extension: opens logs as a person would, and writes what that took into
 * the file that VBATCH_BENCH_REPORT names.
 */
import { appendFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Client } from '../../../server/client/client.ts';
import { extension, folder } from '../../vscode/suite/support.ts';
import { median } from '../rounds.ts';
import { BlockMeter } from './blockMeter.ts';

/** Milliseconds. */
export interface Figures {
  /** From the command until the editor shows the end. */
  readonly opened: { readonly small: number; readonly large: number };
  /** Longest that the event loop was blocked, while the large log was written and shown, and while nothing was. */
  readonly blocked: { readonly flooded: number; readonly idle: number };
  readonly searched: number;
  /** Bytes. */
  readonly size: number;
}

const rounds = 5;
const idleMs = 5_000;

/** Called by VS Code. */
export async function run(): Promise<void> {
  const client = await (await extension()).connection.client();
  const meter = new BlockMeter();
  const small = await submit(client, 'echo hello');
  await client.whenDone(small);
  const openedSmall = await open(small);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  meter.take();
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const idle = meter.take();

  const line = 'step 17: loss 0.25, \\033[32maccuracy\\033[0m 0.91, and some more words as logs have them';
  const large = await submit(client, `yes "$(printf '${line}')" | head -c 2G; echo; echo needle`);
  await vscode.commands.executeCommand('vbatch.task.openLog', { id: large });
  meter.take();
  await client.whenDone(large);
  const flooded = meter.take();
  meter.stop();
  const openedLarge = await open(large);

  const begun = performance.now();
  let size = 0;
  for await (const message of client.searchLog(large, { text: 'NEEDLE' })) {
    if (message.type === 'end') size = message.searched;
  }
  const figures: Figures = {
    opened: { small: openedSmall, large: openedLarge },
    blocked: { flooded, idle },
    searched: performance.now() - begun,
    size,
  };
  appendFileSync(process.env.VBATCH_BENCH_REPORT ?? '', `${JSON.stringify(figures)}\n`);
}

async function submit(client: Client, script: string): Promise<string> {
  const [result] = await client.submit({ tasks: [{ command: ['sh', '-c', script], directory: folder() }] });
  if (result === undefined || !('id' in result)) throw new Error('the task was refused');
  return result.id;
}

/** Milliseconds until there is an editor that shows the end; the median of some times. */
async function open(id: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const begun = performance.now();
    await vscode.commands.executeCommand('vbatch.task.openLog', { id });
    times.push(performance.now() - begun);
  }
  return median(times);
}
