import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '../../server/client/client.ts';
import type { SubmitRequest } from '../../server/protocol/tasks.ts';
import type { Bench } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { inFlight, interleave, timed } from './rounds.ts';

const rounds = 5;
/** How the tasks are sent: requests at once, requests in a round, and tasks in each. */
const ways = [
  { name: 'one a request, 16 connections', width: 16, requests: 1_600, tasks: 1 },
  { name: '1,000 a request', width: 1, requests: 5, tasks: 1_000 },
] as const;

/** How fast tasks can be handed in. */
export const submissions: Measure = {
  name: 'submit',
  needs: [],
  how:
    'Held tasks `true` are submitted over HTTP; an answer comes when they are on disk. Beside it: a bare ' +
    '`node:http` server, in a process of its own as well, that parses the same requests and stores nothing.',
  async run(bench) {
    const memory = await bench.machine(bench.memory);
    const disk = await bench.machine(bench.disk);
    const bare = await startBare(bench);
    const rows: Row[] = [];
    for (const way of ways) {
      const rate = async (client: Client) => {
        const task = { command: ['true'], directory: memory.cwd, hold: true };
        const request: SubmitRequest = { tasks: Array.from({ length: way.tasks }, () => task) };
        const taken = await timed(() => inFlight(way.width, way.requests, () => accepted(client, request)));
        return (way.requests * way.tasks * 1_000) / taken;
      };
      const figures = await interleave(rounds, {
        floor: () => rate(bare),
        memory: () => rate(memory.client),
        disk: () => rate(disk.client),
      });
      for (const place of ['memory', 'disk'] as const) {
        rows.push({
          what: `submissions, ${way.name}, ${bench[place].name}`,
          unit: '/s',
          value: figures[place],
          beside: { what: 'bare `node:http`', value: figures.floor },
          goal: null,
        });
      }
    }
    await memory.stop();
    await disk.stop();
    return rows;
  },
};

async function accepted(client: Client, request: SubmitRequest): Promise<void> {
  const results = await client.submit(request);
  const refused = results.find((result) => 'error' in result);
  if (refused !== undefined) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
}

async function startBare(bench: Bench): Promise<Client> {
  const child: ChildProcess = spawn(process.execPath, ['test/bench/bareServer.mjs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  bench.atEnd(() => child.kill());
  if (child.stdout === null) throw new Error('the bare server has no output');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return new Client({ port: Number(line.toString()), token: '' });
}
