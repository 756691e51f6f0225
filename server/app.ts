/** The composition root: puts a server together and takes it apart again. */
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { localHost } from './config/configuration.ts';
import { loadConfiguration } from './config/load.ts';
import { Calls } from './engine/calls.ts';
import { Contents } from './engine/contents.ts';
import { Engine } from './engine/engine.ts';
import { Fleet } from './engine/fleet.ts';
import { HostActions } from './engine/hostActions.ts';
import { HostFile } from './engine/hostFile.ts';
import { Rooms } from './engine/rooms.ts';
import { hostFacts } from './hosts/facts.ts';
import { LocalHost } from './hosts/local.ts';
import { leadsToHost } from './hosts/ssh/lookUp.ts';
import { broughtLogs, sshHosts } from './hosts/ssh/make.ts';
import { WindowsHost } from './hosts/windows.ts';
import { doorOf } from './http/doorFile.ts';
import { createHttpServer } from './http/server.ts';
import { removeDiscovery, userConfigFile, writeDiscovery } from './protocol/discovery.ts';
import { openStore } from './store/store.ts';
import { realTimers } from './timers.ts';
import { Disk } from './workspace/disk.ts';
import { ContentStore } from './workspace/store.ts';

export interface AppOptions {
  /** The state folder. */
  home: string;
  env: NodeJS.ProcessEnv;
  version: string;
  log: Logger;
  /** Called when a client asks the server to stop. */
  onStop: () => void;
}

export interface App {
  readonly port: number;
  /** Answers nobody any more, makes all durable and lets the next server in. Tasks go on (R31). */
  close(): Promise<void>;
}

/** What reads and writes files of workspaces at once. */
const diskWorkers = 2;

/** How long the first look at this machine may keep clients waiting. */
const firstLookMs = 10_000;

/** Starts the server of a state folder. Throws `refused` where another one runs, `stateFailed` where it is damaged. */
export async function startApp({ home, env, version, log, onStop }: AppOptions): Promise<App> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  chmodSync(home, 0o700);
  const note = (message: string): void => log.info(message);
  const contents = new Contents(randomInt(2 ** 25));
  const store = await openStore({ folder: home, contents, report: (message) => log.warn(message) });

  const Local = process.platform === 'win32' ? WindowsHost : LocalHost;
  const local = new Local({
    name: localHost,
    folder: join(home, 'hosts', localHost),
    env,
    // What asks a server from inside a task means this one.
    variables: { VBATCH_HOME: home },
    log: note,
  });
  const fleet = new Fleet({
    local,
    make: sshHosts({ home, env, log: note }),
    broughtLogs: broughtLogs({ home, log: note }),
    facts: hostFacts(home, note),
    log: note,
  });
  const userFile = userConfigFile(env);
  const rooms = new Rooms(
    fleet,
    (workspace) => loadConfiguration({ userFile, workspace }),
    (host) => (contents.state.holdings.get(host)?.tasks.size ?? 0) === 0 && fleet.logs(host).isComplete(),
  );
  const disk = new Disk(diskWorkers);
  const engine: Engine = new Engine({
    state: contents.state,
    ledger: store,
    fleet,
    rooms,
    timers: realTimers,
    now: Date.now,
    identity: { version, pid: process.pid, startedAt: new Date().toISOString(), home },
    onCall: (host, call) => calls.take(host, call),
    workspaces: {
      folder: join(home, 'workspaces'),
      open: () => ContentStore.open(disk, join(home, 'workspaces', 'contents')),
    },
    log: note,
  });
  const calls = new Calls(engine, version, (message) => log.error(message));
  await readConfigurations(contents, rooms, log);

  engine.open();
  // The first submission is to find this machine's pools.
  await fleet.known([localHost], firstLookMs);
  const file = new HostFile({
    file: userFile,
    leadsToHost: (name, sshConfig) => leadsToHost(name, sshConfig, env),
  });
  const token = randomBytes(32).toString('base64url');
  const http = createHttpServer({
    engine,
    hosts: new HostActions({ state: contents.state, fleet, rooms, file }),
    token,
    loginEnvironment: () => local.loginEnvironment(),
    onStop,
    door: doorOf(home),
    pageFolder: fileURLToPath(new URL('webview/', import.meta.url)),
    log,
  });
  const port = await http.listen();
  writeDiscovery(home, { pid: process.pid, port, token, version });
  log.info({ port, home, tasks: contents.state.tasks.size }, 'the server is ready');
  engine.warmUp();

  return {
    port,
    async close() {
      removeDiscovery(home, process.pid);
      await http.close();
      await engine.close();
      await disk.close();
      await store.close();
    },
  };
}

/** What waits from before must find its pools again. A mistake in a file is told to whoever submits next. */
async function readConfigurations(contents: Contents, rooms: Rooms, log: Logger): Promise<void> {
  const { state } = contents;
  const workspaces = new Set<string | null>([null]);
  for (const number of state.live) workspaces.add(state.task(number).spec.workspace);
  for (const workspace of workspaces) {
    await rooms.refresh(workspace).catch((error: Error) => log.warn(error.message));
  }
}
