/** Fair order over several hosts: nobody waits for ever, whoever comes later and however many. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { World } from '../../support/world.ts';

/** Most ticks that a task runs. */
const longest = 4;
const hosts = ['h0', 'h1', 'h2'] as const;
const places = [['h0', 'h1', 'h2'], ['h0', 'h1'], ['h1', 'h2'], ['h2']] as const;

interface Arrival {
  place: number;
  cpus: number;
  gpus: number;
  gang: number | null;
  ticks: number;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  place: fc.nat(places.length - 1),
  cpus: fc.integer({ min: 0, max: 6 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  gang: fc.option(fc.integer({ min: 2, max: 3 }), { freq: 4 }),
  ticks: fc.integer({ min: 1, max: longest }),
});
const machine = fc.record({
  cpus: fc.integer({ min: 4, max: 12 }),
  gpus: fc.integer({ min: 1, max: 4 }),
  slotsPerGpu: fc.integer({ min: 1, max: 2 }),
});

it('R21 R25 starts every task that fits some host, though others come without end', () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 3, maxLength: 3 }),
      fc.array(arrival, { minLength: 5, maxLength: 25, size: 'max' }),
      (machines, arrivals) => {
        const world = new World();
        for (const [i, { cpus, gpus, slotsPerGpu }] of machines.entries()) {
          world.addHost(`h${i}`, cpus, 64, gpus);
          world.setGpus(hosts[i]!, { slotsPerGpu });
        }
        for (const [i, names] of places.entries()) world.addPool(`p${i}`, [...names]);
        const ends = new Map<number, number>();
        const submit = ({ place, cpus, gpus, gang }: Omit<Arrival, 'ticks'>) => {
          const shards = gang === null ? null : { total: gang, limit: null, gang: true };
          const decision = world.decide(null, { pool: `p${place}`, shape: { cpus, gpus }, shards });
          if (decision.kind === 'accepted') world.commit(decision.event);
          return decision.kind === 'accepted';
        };
        const tick = (now: number) => {
          for (const [number, end] of ends) {
            if (end > now) continue;
            ends.delete(number);
            world.end(world.state.task(number));
          }
          for (const task of world.startAll())
            ends.set(task.number, now + arrivals[task.run % arrivals.length]!.ticks);
        };
        // The first are all there at once. The one that comes first starts when all that ran before have ended.
        const submitted = arrivals.filter(submit).length;
        accepted += submitted;
        const first = world.state.nextNumber;
        const isWaiting = () =>
          [...world.state.live].some(
            (number) => number < first && world.state.task(number).phase.kind === 'queued',
          );
        const deadline = submitted * (longest + 1);
        for (let now = 0; isWaiting(); now++) {
          expect(now).toBeLessThanOrEqual(deadline);
          tick(now);
          // What comes later is small, and finds room more easily.
          for (const place of [0, 1, 2]) submit({ place, cpus: 1, gpus: (now + place) % 2, gang: null });
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(accepted).toBeGreaterThan(1_000);
});
