/**
 * A server as the launcher sees one: it takes the lock of its state folder, publishes itself,
 * reports that it is ready, and answers. PUPPET says how it behaves otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createHttpServer } from '../../server/http/server.ts';
import { removeDiscovery, stateFolder, writeDiscovery } from '../../server/protocol/discovery.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { reportReadiness } from '../../server/readiness.ts';
import { acquireLock } from '../../server/store/lock.ts';
import { FakeEngine } from './fakeEngine.ts';
import { FakeHosts } from './fakeHosts.ts';

const token = 'puppet';
const { env } = process;

async function main(): Promise<void> {
  if (env.PUPPET === 'crash') throw new Error('the puppet tears its strings');
  if (env.PUPPET === 'misconfigured') throw new VbatchError('configuration', 'The puppet has no strings.');
  const home = stateFolder(env);
  const lock = await acquireLock(home);
  const onStop = async () => {
    removeDiscovery(home, process.pid);
    await server.close();
    if (env.PUPPET === 'lingering') await sleep(500);
    await lock.release();
  };
  const server = createHttpServer({
    engine: new FakeEngine(),
    hosts: new FakeHosts(),
    token,
    loginEnvironment: async () => new Map(Object.entries(env).map(([name, value]) => [name, value ?? ''])),
    onStop: () => void onStop(),
    pageFolder: '',
    log: pino(),
  });
  const port = await server.listen();
  console.log(`puppet ${process.pid} in ${process.cwd()}`);
  writeDiscovery(home, { pid: process.pid, port, token, version: env.PUPPET_VERSION ?? '1.0.0' });
  reportReadiness(env, { port });
}

main().catch((error: Error) => {
  console.log(error.message);
  if (env.PUPPET === 'crash') process.exit(1);
  const code = error instanceof VbatchError ? error.code : 'internal';
  reportReadiness(env, { error: { code, message: error.message } });
  process.exit(1);
});
