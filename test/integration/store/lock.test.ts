import { expect, it } from 'vitest';
import { withFolder } from '../../unit/store/support.ts';
import { buildPuppet, Puppet } from './puppets.ts';

type Test = (folder: string, puppets: Puppet[], replace: (puppet: Puppet) => Promise<void>) => Promise<void>;

/** Runs the test with this many processes that obey, and ends them. `replace` kills one for a new one. */
async function withPuppets(count: number, test: Test): Promise<void> {
  await withFolder(async (folder) => {
    const script = await buildPuppet(folder);
    const puppets = Array.from({ length: count }, () => new Puppet(script, 'lock'));
    try {
      await test(folder, puppets, async (puppet) => {
        await puppet.kill();
        puppets[puppets.indexOf(puppet)] = new Puppet(script, 'lock');
      });
    } finally {
      for (const puppet of puppets) await puppet.kill();
    }
  });
}

async function race(
  puppets: readonly Puppet[],
  folder: string,
): Promise<{ owners: Puppet[]; others: Set<string | null> }> {
  for (const puppet of puppets) puppet.tell(`acquire ${folder}`);
  const answers = await Promise.all(puppets.map((puppet) => puppet.hear()));
  return {
    owners: puppets.filter((_, i) => answers[i] === 'owner'),
    others: new Set(answers.filter((answer) => answer !== 'owner')),
  };
}

it('has exactly one owner whenever 6 processes race for what a killed one held, 20 times', async () => {
  await withPuppets(6, async (folder, puppets, replace) => {
    for (let round = 0; round < 20; round++) {
      const { owners, others } = await race(puppets, folder);
      expect(owners).toHaveLength(1);
      expect(others).toEqual(new Set(['refused']));
      for (const owner of owners) await replace(owner);
    }
  });
});

it('stays with a stopped owner, and is free once that is killed', async () => {
  await withPuppets(2, async (folder, [owner, other]) => {
    if (owner === undefined || other === undefined) throw new Error('two puppets were asked for');
    expect((await race([owner], folder)).owners).toEqual([owner]);
    owner.signal('SIGSTOP');
    expect((await race([other], folder)).others).toEqual(new Set(['refused']));
    await owner.kill();
    expect((await race([other], folder)).owners).toEqual([other]);
  });
});
