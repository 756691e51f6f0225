/** R31: the server is killed at random moments of a run of 300 tasks. Nothing is lost, nothing runs twice. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const fanOut = 100;
const kills = 30;

describe('a server that is killed', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox();
  });
  afterAll(() => sandbox.remove());

  it('R31 R32 loses nothing, runs nothing twice and gets every outcome right', {
    timeout: 180_000,
  }, async () => {
    sandbox.write(
      'mark.sh',
      '#!/bin/sh\necho "$VBATCH_TASK_ID" >>ran\nsleep 0.0$((RANDOM_SEED % 5))\nexit ${1:-0}\n',
    );
    // Each item makes three tasks: one that works or not, one that runs after success, one after failure.
    sandbox.write(
      'many.sh',
      `#!/bin/bash
export RANDOM_SEED=3
for i in $(seq ${fanOut}); do
  vbatch --name work$i ./mark.sh $((i % 4 == 0)) || exit 9
  vbatch --name good$i --after-success work$i ./mark.sh || exit 9
  vbatch --name bad$i --after-fail work$i ./mark.sh || exit 9
done
`,
    );
    const { stdout } = await sandbox.shell('vbatch ./many.sh');
    const id = stdout.trim();
    const watching = sandbox.spawn('vctl', ['watch', id]);
    const over = once(watching, 'close').then(() => true);
    let random = 12345;
    let killed = 0;
    for (; killed < kills; killed++) {
      random = (random * 1103515245 + 12345) % 2 ** 31;
      // The moment is what is random here; there is nothing to wait for.
      if (await Promise.race([over, delay(random % 150).then(() => false)])) break;
      sandbox.killServer();
      expect((await sandbox.run('vctl', ['server', 'start'])).stderr).toBe('');
    }
    expect(killed).toBeGreaterThan(8);
    await over;

    const below = await sandbox.below(id);
    expect(Object.keys(below)).toHaveLength(3 * fanOut);
    const run = await sandbox.task(id);
    expect(run.status).toBe('FAILURE');
    expect(run.exitCode).toBe(0);
    for (let i = 1; i <= fanOut; i++) {
      const fails = i % 4 === 0;
      expect([below[`work${i}`]?.status, below[`good${i}`]?.status, below[`bad${i}`]?.status]).toEqual(
        fails ? ['FAILURE', 'FAILED_UPSTREAM', 'SUCCESS'] : ['SUCCESS', 'SUCCESS', 'SKIPPED'],
      );
    }
    const ran = readFileSync(join(sandbox.work, 'ran'), 'utf8').trim().split('\n');
    expect(new Set(ran).size).toBe(ran.length);
    expect(ran).toHaveLength(2 * fanOut);
    expect(Object.values(below).every((task) => task.attempt <= 1)).toBe(true);
  });
});
