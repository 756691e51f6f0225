/** A process for the tests of the store to start, command and kill. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { acquireLock, type Lock } from '../../../server/store/lock.ts';
import { openStore } from '../../../server/store/store.ts';
import { Progress } from './progress.ts';

const [role, folder = ''] = process.argv.slice(2);

function say(text: string | number): void {
  writeSync(1, `${text}\n`);
}

/** Appends as fast as it can, 16 at a time, and says each sequence once it is durable. */
async function append(): Promise<void> {
  const state = new Progress();
  const store = await openStore({ folder, contents: state, report: say, compactAfter: 50_000 });
  state.beforeChange = (key) => store.beforeChange(key);
  const go = async () => {
    for (;;) {
      const event = state.nextEvent();
      const sequence = store.append(event);
      state.replay(event);
      await store.durable(sequence);
      say(sequence);
    }
  };
  await Promise.all(Array.from({ length: 16 }, go));
}

/** Obeys `acquire FOLDER` and `release` on its standard input, one answer each. */
function lock(): void {
  let held: Lock | null = null;
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [verb, where = ''] = line.split(' ');
    if (verb === 'acquire') {
      acquireLock(where).then(
        (lock) => {
          held = lock;
          say('owner');
        },
        (error: { code: string }) => say(error.code),
      );
    } else {
      void held?.release().then(() => say('released'));
      held = null;
    }
  });
}

if (role === 'append') await append();
else lock();
