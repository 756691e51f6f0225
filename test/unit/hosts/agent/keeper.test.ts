import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { AgentKeeper, type Retries } from '../../../../server/hosts/agent/keeper.ts';
import type { AgentListener, AgentProcess } from '../../../../server/hosts/agent/process.ts';
import { VbatchError } from '../../../../server/protocol/errors.ts';
import { ManualTimers } from '../../../support/manualTimers.ts';

/** An agent that a test lets come and go. */
interface Started {
  listener: AgentListener;
  signal: AbortSignal;
  /** It has been reached, and is ready. */
  ready(): Promise<void>;
  end(how: string): Promise<void>;
  fail(error: Error): Promise<void>;
}

let timers: ManualTimers;
let starts: Started[];
let told: string[];
let random: number;
let keeper: AgentKeeper;

beforeEach(() => {
  timers = new ManualTimers();
  starts = [];
  told = [];
  random = 0.5;
  const retries: Retries = {
    pauses: [0, 1_000, 5_000],
    rarePauses: [60_000, 120_000],
    random: () => random,
    timers,
  };
  keeper = new AgentKeeper(
    start,
    {
      ready: () => void told.push('ready'),
      event: () => {},
      gone: (why) => void told.push(`gone: ${why.message}`),
      log: () => {},
    },
    retries,
  );
});

function start(listener: AgentListener, signal: AbortSignal): Promise<AgentProcess> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')));
    const end = async (how: string) => {
      listener.ended(how);
      await setImmediate();
    };
    starts.push({
      listener,
      signal,
      async ready() {
        resolve({ send: () => {}, close: () => end('closed') });
        await setImmediate();
        listener.event({ type: 'ready', mode: 'bash' });
      },
      end,
      async fail(error) {
        reject(error);
        await setImmediate();
      },
    });
  });
}

function last(): Started {
  const found = starts.at(-1);
  if (!found) throw new Error('nothing has been started');
  return found;
}

async function advance(milliseconds: number): Promise<void> {
  timers.advance(milliseconds);
  await setImmediate();
}

const lost = new VbatchError('unreachable', 'nobody answers');

describe('the keeper of an agent', () => {
  it('tries again after ever longer pauses, of which the last stays', async () => {
    keeper.open();
    for (const pause of [0, 1_000, 5_000, 5_000]) {
      const before = starts.length;
      await last().fail(lost);
      if (pause > 0) {
        await advance(pause - 1);
        expect(starts).toHaveLength(before);
      }
      await advance(1);
      expect(starts).toHaveLength(before + 1);
    }
  });

  it.each([
    [0, 0.75],
    [1, 1.25],
  ])('spreads the pauses: %d makes them %d times as long', async (value, factor) => {
    random = value;
    keeper.open();
    await last().fail(lost);
    await advance(0);
    await last().fail(lost);
    await advance(1_000 * factor - 1);
    expect(starts).toHaveLength(2);
    await advance(1);
    expect(starts).toHaveLength(3);
  });

  it.each(['refused', 'configuration', 'invalid'] as const)(
    'tries only rarely what fails as %s',
    async (code) => {
      keeper.open();
      await last().fail(new VbatchError(code, 'The key has changed.'));
      await advance(59_999);
      expect(starts).toHaveLength(1);
      await advance(1);
      await last().fail(new VbatchError(code, 'The key has changed.'));
      await advance(119_999);
      expect(starts).toHaveLength(2);
      await advance(1);
      expect(starts).toHaveLength(3);
    },
  );

  it('lets a host that bans after five failures in ten minutes see no more than four, however it spreads', async () => {
    random = 0;
    const { remoteRetries } = await import('../../../../server/hosts/agent/keeper.ts');
    const times = [0];
    for (const pause of [...remoteRetries.rarePauses, ...remoteRetries.rarePauses.slice(-1)]) {
      times.push((times.at(-1) ?? 0) + pause * 0.75);
    }
    for (const from of times) {
      expect(times.filter((time) => time >= from && time <= from + 600_000).length).toBeLessThan(5);
    }
  });

  it('tries a machine that is unfit only rarely', async () => {
    keeper.open();
    const { listener } = last();
    listener.event({ type: 'unfit' });
    listener.ended('it exited with 1');
    await setImmediate();
    expect(told).toEqual([expect.stringContaining('install one of them')]);
    await advance(59_999);
    expect(starts).toHaveLength(1);
  });

  it('begins with the pauses anew after an agent that was ready for a while, not after a long attempt', async () => {
    keeper.open();
    await last().fail(lost);
    await advance(0);
    // It took long, but nothing came of it.
    await advance(20_000);
    await last().fail(lost);
    expect(starts).toHaveLength(2);
    await advance(1_000);
    await last().ready();
    await advance(10_001);
    await last().end('it was killed');
    await advance(0);
    expect(starts).toHaveLength(4);
    expect(told.slice(-2)).toEqual(['ready', 'gone: its agent is not running: it was killed']);
  });

  it('tries at once when it is told to, and begins with the pauses anew', async () => {
    keeper.open();
    await last().fail(new VbatchError('refused', 'No.'));
    keeper.retry();
    await setImmediate();
    expect(starts).toHaveLength(2);
    await last().fail(lost);
    await advance(0);
    expect(starts).toHaveLength(3);
  });

  it('gives an attempt up for a new one, of which alone is told', async () => {
    keeper.open();
    keeper.retry();
    await setImmediate();
    expect(starts).toHaveLength(2);
    expect(starts[0]?.signal.aborted).toBe(true);
    expect(told).toEqual([]);
    await last().ready();
    expect(told).toEqual(['ready']);
    // What is ready stays.
    keeper.retry();
    await setImmediate();
    expect([starts.length, last().signal.aborted]).toEqual([2, false]);
  });

  it('lets go until it is told to try', async () => {
    keeper.open();
    await last().ready();
    keeper.letGo(new Error('let go'));
    expect(told).toEqual(['ready', 'gone: let go']);
    expect(last().signal.aborted).toBe(true);
    await advance(1_000_000);
    expect([starts.length, told.length]).toEqual([1, 2]);
    keeper.retry();
    await setImmediate();
    expect(starts).toHaveLength(2);
  });

  it('takes hold again while the agent that it has let go of is still ending', async () => {
    keeper.open();
    await last().ready();
    keeper.letGo(new Error('let go'));
    keeper.retry();
    await setImmediate();
    expect([starts.length, told]).toEqual([2, ['ready', 'gone: let go']]);
  });

  it('starts nothing where it was let go of before it is opened', async () => {
    keeper.letGo(new Error('let go'));
    keeper.open();
    await advance(1_000_000);
    expect(starts).toEqual([]);
    await keeper.close();
  });

  it('ends with the agent when it is closed, also in a pause', async () => {
    keeper.open();
    await last().ready();
    await keeper.close();
    expect(last().signal.aborted).toBe(true);
    expect(timers.pending).toBe(0);
  });
});
