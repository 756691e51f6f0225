/** Measurements of logs inside the extension host: not part of the tests. `npm run bench:vscode` */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { extension, folder } from './support.ts';

const size = '2G';

async function submit(script: string): Promise<string> {
  const client = await (await extension()).connection.client();
  const [result] = await client.submit({ tasks: [{ command: ['sh', '-c', script], directory: folder() }] });
  if (result === undefined || !('id' in result)) throw new Error('the task was refused');
  return result.id;
}

/** Milliseconds until there is an editor that shows the end. */
async function open(id: string): Promise<number> {
  const begun = performance.now();
  await vscode.commands.executeCommand('vbatch.task.openLog', { id });
  return performance.now() - begun;
}

describe(`a log of ${size}`, () => {
  it('opens at once, is searched, and floods nothing while it is written', async function () {
    this.timeout(300_000);
    const { connection, logs } = await extension();
    const client = await connection.client();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const small = await submit('echo hello');
    await client.whenDone(small);
    const smallMs = await open(small);
    const seen = process.memoryUsage().heapUsed;

    const line = 'step 17: loss 0.25, \\033[32maccuracy\\033[0m 0.91, and some more words as logs have them';
    const large = await submit(`yes "$(printf '${line}')" | head -c ${size}; echo; echo needle`);
    await open(large);
    delay.enable();
    const begun = performance.now();
    await client.whenDone(large);
    const writtenSeconds = (performance.now() - begun) / 1_000;
    delay.disable();
    const floodedMs = delay.max / 1e6;
    const p99Ms = delay.percentile(99) / 1e6;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    const largeMs = await open(large);
    const searching = performance.now();
    let searched = 0;
    for await (const message of client.searchLog(large, { text: 'NEEDLE' })) {
      if (message.type === 'end') searched = message.searched;
    }
    const searchSeconds = (performance.now() - searching) / 1_000;
    console.log(
      `FIGURES ${JSON.stringify({
        smallMs,
        largeMs,
        writtenSeconds,
        floodedMs,
        p99Ms,
        searchSeconds,
        searchedMiB: searched / 1_048_576,
        heapGrowthMiB: (process.memoryUsage().heapUsed - seen) / 1_048_576,
        window: logs.active()?.session.lines.length,
      })}`,
    );
  });
});
