import { type Machine, submit } from '../bench.ts';
import type { Measure, Row } from '../measure.ts';
import { inFlight, interleave, timed } from '../rounds.ts';
import { startBareLoop } from './bareLoop.ts';
import { parallelTime } from './parallel.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 3;
/** How many tasks are under way at once, and how many a round has, of vbatch and of its slowest peer. */
const widths = [
  { width: 1, count: 100, ofParallel: { sharing: 100, plain: 10 } },
  { width: 8, count: 400, ofParallel: { sharing: 200, plain: 40 } },
  { width: 64, count: 1_000, ofParallel: null },
] as const;
const silent = ['/bin/true'];
const commands = [
  { what: '`true`', words: silent },
  { what: 'one that prints a line', words: ['/bin/echo', 'done'] },
] as const;

/** What a task costs on another machine. */
export const sshTask: Measure = {
  name: 'ssh-task',
  needs: [...sshPrograms, 'parallel', 'setsid'],
  asRoot: true,
  how:
    '`/bin/true` or `/bin/echo done` is submitted over HTTP for a host that is an sshd on loopback, and a second ' +
    'request waits until its end is on disk and answers. Beside it: GNU parallel with `--sshlogin` and as many ' +
    'jobs at once, as it comes and with ControlPersist in the configuration of its `ssh`; and a shell loop at the ' +
    'end of one `ssh`, which runs each line that it reads under `setsid`, with its output in files and its exit ' +
    'code in a file that is renamed.',
  async run(bench) {
    const bed = await SshBed.open(bench);
    const host = await bed.serve('n1');
    const machine = await bed.machine([host]);
    const loop = await startBareLoop(bench, bed, host);
    const rows: Row[] = [];
    for (const { width, count, ofParallel } of widths) {
      const each = async (one: () => Promise<unknown>) =>
        (await timed(() => inFlight(width, count, one))) / count;
      const parallel = (config: string, jobs: number | undefined, words: readonly string[]) => {
        if (jobs === undefined) return Promise.resolve(Number.NaN);
        return parallelTime(words, { hosts: [host], config, width, count: jobs }, machine);
      };
      for (const { what, words } of commands) {
        const figures = await interleave(rounds, {
          own: () => each(() => whole(machine, words)),
          loop: () => each(() => loop(words)),
          sharing: () => parallel(bed.sharingConfig, ofParallel?.sharing, words),
          plain: () => parallel(bed.config, ofParallel?.plain, words),
        });
        const row = (peer: string, value: number, most: number | null): Row => ({
          what: `a task over SSH, ${what}, ${width} at a time`,
          unit: 'ms',
          value: figures.own,
          beside: { what: peer, value },
          goal: most === null ? null : { of: 'ratio', most },
        });
        rows.push(row('a bare loop', figures.loop, 2));
        if (words === silent) {
          rows.push({
            what: `tasks over SSH, ${width} at a time`,
            unit: '/s',
            value: 1_000 / figures.own,
            beside: { what: 'a bare loop', value: 1_000 / figures.loop },
            goal: null,
          });
        }
        if (ofParallel === null) continue;
        rows.push(row('GNU parallel, ControlPersist', figures.sharing, 1 / 4));
        rows.push(row('GNU parallel', figures.plain, null));
      }
    }
    await machine.stop();
    return rows;
  },
};

async function whole(machine: Machine, command: readonly string[]): Promise<void> {
  await machine.client.whenDone(await submit(machine, { command: [...command], pool: 'far' }));
}
