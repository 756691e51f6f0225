import { expect, it } from 'vitest';
import { isWithin, localWork } from '../../../../server/engine/trees/localWork.ts';
import { World } from '../../../support/world.ts';

it('is when a command ran here, and was not blocked in vrun', () => {
  const world = new World();
  const at = (time: number) => {
    world.now = time;
  };
  at(10_000);
  const run = world.run();
  at(20_000);
  const awaited = world.submit(run, { awaited: true });
  world.startAll();
  at(30_000);
  world.end(awaited);
  at(40_000);
  world.submit(run, { name: 'later' });
  at(50_000);
  world.end(run);
  at(60_000);
  const [later] = world.startAll();
  at(70_000);
  if (later) world.end(later);
  const during = [15_000, 25_000, 35_000, 45_000, 55_000, 65_000, 75_000];
  // Of its children, the one that it waits for works here itself.
  const work = localWork(world.state, run, 80_000);
  expect(during.map((time) => isWithin(work, time))).toEqual([true, true, true, true, false, true, false]);
  const own = localWork(world.state, { ...run, children: [] }, 80_000);
  expect(own).toEqual([{ from: 9_992, to: 50_001 }]);
});

it('is nothing on other hosts, nor of a script that waits for what runs there', () => {
  const world = new World();
  world.addHost('far', 8, 8, 0);
  world.addPool('far', ['far']);
  const run = world.run();
  world.now = 20_000;
  world.submit(run, { pool: 'far', awaited: true });
  world.startAll();
  const work = localWork(world.state, run, 90_000);
  expect([5_000, 50_000].map((time) => isWithin(work, time))).toEqual([true, false]);
});
