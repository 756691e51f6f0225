/** An engine with a fake host and a ledger in memory. */
import { setImmediate } from 'node:timers/promises';
import { builtInConfiguration } from '../../../server/config/configuration.ts';
import { Calls } from '../../../server/engine/calls.ts';
import { Engine } from '../../../server/engine/engine.ts';
import { Fleet } from '../../../server/engine/fleet.ts';
import { Rooms } from '../../../server/engine/rooms.ts';
import type { Submitter } from '../../../server/engine/service.ts';
import { State } from '../../../server/model/state.ts';
import { type SubmissionInput, submissionSchema } from '../../../server/protocol/tasks.ts';
import { FakeHost, noLogs, someFacts } from '../../support/fakeHost.ts';
import { ManualTimers } from '../../support/manualTimers.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';

export const nobody: Submitter = { parent: null, attempt: 0, environment: { set: {}, unset: [] } };

export function makeEngine(state = new State(3), configuration = builtInConfiguration) {
  const host = new FakeHost();
  const ledger = new MemoryLedger(state.sequence);
  const timers = new ManualTimers();
  const log: string[] = [];
  const fleet = new Fleet({
    local: host,
    make: ({ name }) => new FakeHost(name),
    broughtLogs: noLogs,
    facts: { load: () => null, save: () => {}, isLetGo: () => false, keepLetGo: () => {} },
    log: (message) => log.push(message),
  });
  const rooms = new Rooms(
    fleet,
    async () => configuration,
    () => true,
  );
  const engine: Engine = new Engine({
    state,
    ledger,
    fleet,
    rooms,
    timers,
    now: () => timers.now(),
    identity: { version: 'test', pid: 1, startedAt: '', home: '/' },
    onCall: (from, call) => calls.take(from, call),
    workspaces: { folder: '/nonexistent', open: () => Promise.reject(new Error('nothing travels here')) },
    log: (message) => log.push(message),
  });
  const calls = new Calls(engine, 'test', (message) => log.push(message));
  engine.open();

  const submit = async (input: Partial<SubmissionInput> = {}, submitter = nobody): Promise<string> => {
    const submission = submissionSchema.parse({ command: ['true'], directory: '/', ...input });
    const [result] = await engine.submit([submission], submitter, { dryRun: false });
    if (result === undefined || 'error' in result) throw new Error(result?.error.message);
    return result.id;
  };
  return { engine, host, ledger, timers, log, state, fleet, rooms, submit };
}

/** As `makeEngine`, with the host within reach. */
export async function onlineEngine() {
  const made = makeEngine();
  made.host.reports.online(someFacts);
  await settled();
  // The loading of the configuration makes the pools known.
  await made.engine.pools(null);
  return made;
}

/** Lets all that is ready happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}
