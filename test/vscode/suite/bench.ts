/** Measurements inside the extension host: not part of the tests. `npm run bench:vscode` */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import type { StreamEvent } from '../../../server/client/eventStreamState.ts';
import type { TaskView } from '../../../server/protocol/tasks.ts';
import { runView } from '../../unit/extension/runView.ts';
import { extension } from './support.ts';

setFlagsFromString('--expose-gc');
/** What is still held is what counts. */
const collect = runInNewContext('gc') as () => void;

const runs = 20;
const children = 1_000;
const changesPerSecond = 500;
const tickMs = 50;

describe('a tree with 20,000 tasks of which 500 change per second', () => {
  it('answers, blocks nothing and keeps its memory', async function () {
    const seconds = Number(process.env.VBATCH_BENCH_SECONDS ?? 30);
    this.timeout((seconds + 60) * 1_000);
    const { connection, activationMs } = await extension();
    // The stream itself is not measured: its events are made here.
    const { events } = connection as unknown as { events: vscode.EventEmitter<StreamEvent> };
    const tasks = Array.from({ length: runs }, (_, run) => family(run)).flat();
    const tell = (changed: TaskView[]) =>
      events.fire({ type: 'tasks', tasks: changed, removed: [], whole: true });
    await vscode.commands.executeCommand('vbatch.tasks.focus');
    const delay = monitorEventLoopDelay({ resolution: 1 });
    events.fire({ type: 'reset' });
    for (let at = 0; at < tasks.length; at += 1_000) {
      tell(tasks.slice(at, at + 1_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vscode.commands.executeCommand('vbatch.task.reveal', { id: 'run-00000/task-1' });
    await pause(2_000);

    const expanding: number[] = [];
    const memory: number[] = [];
    delay.enable();
    const until = Date.now() + seconds * 1_000;
    let next = 0;
    for (let tick = 0; Date.now() < until; tick++) {
      const changed = Array.from({ length: (changesPerSecond * tickMs) / 1_000 }, () => {
        next = (next + 7_919) % tasks.length;
        const task = tasks[next] as TaskView;
        const status = task.status === 'RUNNING' ? 'QUEUED' : 'RUNNING';
        tasks[next] = { ...task, status: task.parent === null ? task.status : status, revision: tick + 2 };
        return tasks[next] as TaskView;
      });
      tell(changed);
      if (tick % 40 === 20) {
        const run = String((tick / 20) % runs).padStart(5, '0');
        const begun = performance.now();
        await vscode.commands.executeCommand('vbatch.task.reveal', { id: `run-${run}/task-${tick % 1_000}` });
        expanding.push(performance.now() - begun);
      }
      if (tick % 100 === 0) {
        delay.disable();
        collect();
        delay.enable();
        memory.push(process.memoryUsage().heapUsed / 1_048_576);
      }
      await pause(tickMs);
    }
    delay.disable();
    const sorted = expanding.toSorted((a, b) => a - b);
    const figures = {
      activationMs: activationMs.toFixed(1),
      revealMedianMs: sorted[Math.floor(sorted.length / 2)]?.toFixed(1),
      revealMaxMs: sorted.at(-1)?.toFixed(1),
      loopP99Ms: (delay.percentile(99) / 1e6).toFixed(1),
      loopMaxMs: (delay.max / 1e6).toFixed(1),
      heapMiB: memory.map((each) => Math.round(each)).join(' '),
    };
    // oxlint-disable-next-line no-console -- This is what it is for.
    console.log(`FIGURES ${JSON.stringify(figures)}`);
  });
});

function family(run: number): TaskView[] {
  const id = `run-${String(run).padStart(5, '0')}`;
  const parent = runView({
    id,
    status: 'RUNNING_SUBTASKS',
    children: { total: children, done: 0, failed: 0 },
  });
  const below = Array.from({ length: children }, (_, at) =>
    runView({ id: `${id}/task-${at}`, name: `task-${at}`, parent: id, run: id }),
  );
  return [parent, ...below];
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
