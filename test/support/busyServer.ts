/**
 * A server whose engine runs nothing: a run `fan` with many children, of which some hundred change each second, and
 * a run `calm` with a child `leaf` that never does.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import packageJson from '../../package.json';
import { createHttpServer } from '../../server/http/server.ts';
import { removeDiscovery, writeDiscovery } from '../../server/protocol/discovery.ts';
import type { TaskDetail } from '../../server/protocol/tasks.ts';
import { FakeEngine } from './fakeEngine.ts';
import { FakeHosts } from './fakeHosts.ts';

/** Changes come in this many portions a second. */
const portions = 25;

export interface BusyServer {
  /** Changes begin. @param rate tasks a second */
  begin(rate: number): void;
  close(): Promise<void>;
}

/** A server of the state folder `home`, which a window joins as it would any other. */
export async function busyServer(home: string, size: number): Promise<BusyServer> {
  const engine = new FakeEngine();
  const ids = Array.from({ length: size }, (_each, at) => `fan-00001/part-${at}`);
  const startedAt = new Date().toISOString();
  let done = size / 2;
  const parent = (): Partial<TaskDetail> => ({
    name: 'fan',
    status: 'RUNNING_SUBTASKS',
    startedAt,
    attempt: 1,
    children: { total: size, done, failed: 0 },
  });
  engine.putAll(['fan-00001'], parent());
  engine.putAll(ids.slice(0, done), { status: 'SUCCESS', startedAt, resolvedAt: startedAt, attempt: 1 });
  engine.putAll(ids.slice(done), { status: 'QUEUED' });
  for (const id of ['calm', 'calm/leaf']) {
    engine.put(id, { status: 'SUCCESS', children: { total: Number(id === 'calm'), done: 0, failed: 0 } });
  }
  const token = randomBytes(16).toString('hex');
  const server = createHttpServer({
    engine,
    hosts: new FakeHosts(),
    token,
    loginEnvironment: async () => new Map(),
    pageFolder: '',
    onStop: () => {},
    log: pino({ level: 'silent' }),
  });
  const port = await server.listen();
  mkdirSync(home, { recursive: true });
  writeDiscovery(home, { pid: process.pid, port, token, version: packageJson.version });
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;
  /** Each in turn goes from waiting over running to its end, and begins anew. */
  const change = (count: number) => {
    const now = new Date().toISOString();
    for (let each = 0; each < count; each++, turn++) {
      const id = ids[(turn * 7) % size] ?? '';
      const step = Math.floor(turn / size) % 3;
      if (step === 0) engine.put(id, { status: 'RUNNING', startedAt: now, resolvedAt: null, attempt: 1 });
      else if (step === 1) engine.put(id, { status: 'SUCCESS', resolvedAt: now });
      else engine.put(id, { status: 'QUEUED', startedAt: null, resolvedAt: null });
    }
    done = size / 2 + (turn % (size / 2));
    engine.put('fan-00001', parent());
  };
  return {
    begin(rate) {
      timer = setInterval(() => change(Math.round(rate / portions)), 1_000 / portions);
    },
    async close() {
      clearInterval(timer);
      // The window's own ending kills whoever is named there.
      removeDiscovery(home, process.pid);
      await server.close();
    },
  };
}
