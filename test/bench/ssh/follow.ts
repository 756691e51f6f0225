import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Relay } from '../../support/testbed/relay.ts';
import { type Machine, submit } from '../bench.ts';
import type { Measure, Row } from '../measure.ts';
import { quantile } from '../rounds.ts';
import { SshBed, sshPrograms, type Target } from './sshd.ts';

const lines = 60;
/** Prints what the clock shows, in nanoseconds, at times that are in step with nothing. */
const printer = `i=0; while [ $i -lt ${lines} ]; do sleep 0.$((17 * i % 40 + 10)); date +%s%N; i=$((i + 1)); done`;
/** Of the link with a delay, one way. Milliseconds. */
const delay = 25;

/** How long a printed line takes to whoever looks on. */
export const sshFollow: Measure = {
  name: 'ssh-follow',
  needs: [...sshPrograms],
  asRoot: true,
  how:
    `A task on an sshd on loopback prints the time ${lines} times, 0.1 to 0.5 s apart; the client that follows ` +
    'its log compares that with its own clock when the line arrives. Once more through a relay that holds back ' +
    `what passes for ${delay} ms each way. Beside it: the same command run by \`ssh\`.`,
  async run(bench) {
    const bed = await SshBed.open(bench);
    const near = await bed.serve('n1');
    const relay = await Relay.start({ host: '127.0.0.1', port: near.port, delay });
    const far = bed.alias(near, 'n1-far', relay.port);
    const rows: Row[] = [];
    for (const [target, link, most] of [
      [near, 'SSH', 150],
      [far, `a link of ${2 * delay} ms`, 150 + delay],
    ] as const) {
      const machine = await bed.machine([target]);
      const [own, peer] = await Promise.all([followed(machine), shown(bed, target)]);
      await machine.stop();
      for (const [name, share] of [
        ['median', 0.5],
        ['slowest', 1],
      ] as const) {
        rows.push({
          what: `a followed line over ${link}, ${name}`,
          unit: 'ms',
          value: quantile(own, share),
          beside: { what: '`ssh`', value: quantile(peer, share) },
          goal: { of: 'value', most },
        });
      }
    }
    await relay.close();
    return rows;
  },
};

/** Milliseconds that each line took. */
async function followed(machine: Machine): Promise<number[]> {
  const id = await submit(machine, { command: ['sh', '-c', printer], pool: 'far' });
  const taken: number[] = [];
  for await (const { data } of machine.client.followLog(id)) taken.push(...ages(data.toString()));
  return taken;
}

async function shown(bed: SshBed, { name }: Target): Promise<number[]> {
  const child = spawn('ssh', ['-F', bed.config, name, printer], { stdio: ['ignore', 'pipe', 'inherit'] });
  const taken: number[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => taken.push(...ages(line)));
  await once(child, 'close');
  return taken;
}

function ages(text: string): number[] {
  const now = Date.now();
  return text
    .trim()
    .split('\n')
    .map((line) => now - Number(line) / 1e6);
}
