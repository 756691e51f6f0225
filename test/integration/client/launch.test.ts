import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Client } from '../../../server/client/client.ts';
import { type ConnectOptions, connect, isAlive } from '../../../server/client/launch.ts';
import { readDiscovery, writeDiscovery } from '../../../server/protocol/discovery.ts';

let bundle: string;
let serverFile: string;
let home: string;
const clients: Client[] = [];

beforeAll(async () => {
  bundle = mkdtempSync(join(tmpdir(), 'vbatch-launch-'));
  serverFile = join(bundle, 'server.cjs');
  await build({
    entryPoints: [resolve(import.meta.dirname, '../../support/puppetServer.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: serverFile,
    logLevel: 'silent',
  });
});
afterAll(() => rmSync(bundle, { recursive: true }));

beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'vbatch-launch-')), 'state');
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  const pid = readDiscovery(home)?.pid;
  if (pid !== undefined && pid !== process.pid) await end(pid);
  rmSync(join(home, '..'), { recursive: true });
});

async function end(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
}

async function open(options: Partial<ConnectOptions> = {}, env: NodeJS.ProcessEnv = {}): Promise<Client> {
  const all = { PATH: process.env.PATH, ...env };
  const client = await connect(home, all, { start: true, serverFile, version: '1.0.0', ...options });
  clients.push(client);
  return client;
}

/** The `VBATCH_HOME=…`-like strings of a process. */
function environmentOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

it('starts a server in a session of its own, which later clients find', async () => {
  const first = await open({}, { MARK: 'x' });
  const { pid } = await first.server();
  expect(pid).toBe(readDiscovery(home)?.pid);
  expect(await (await open()).server()).toMatchObject({ pid });
  const [session, group] = execFileSync('ps', ['-o', 'sid=,pgid=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
  expect([session, group]).toEqual([String(pid), String(pid)]);
  expect(environmentOf(pid)).toEqual(expect.arrayContaining(['MARK=x', `VBATCH_HOME=${home}`]));
  expect(readFileSync(join(home, 'server.log'), 'utf8')).toContain(`puppet ${pid} in ${home}`);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(statSync(join(home, 'server.log')).mode & 0o777).toBe(0o600);
});

it('tells the server the same configuration file, though it works in another folder', async () => {
  const first = await open({}, { VBATCH_CONFIG: 'some/config.yaml' });
  const { pid } = await first.server();
  expect(environmentOf(pid)).toContain(`VBATCH_CONFIG=${resolve('some/config.yaml')}`);
});

it('starts one server for many clients that come at once', async () => {
  const some = await Promise.all(Array.from({ length: 5 }, () => open()));
  const pids = await Promise.all(some.map(async (client) => (await client.server()).pid));
  expect(new Set(pids).size).toBe(1);
});

it('starts none where it is not to', async () => {
  const refusal = {
    code: 'noServer',
    message: `No vbatch server runs in ${home}; "vctl server start" starts one.`,
  };
  await expect(open({ start: false })).rejects.toMatchObject(refusal);
  const { pid } = await (await open()).server();
  expect(await (await open({ start: false })).server()).toMatchObject({ pid });
  await end(pid);
  await expect(open({ start: false })).rejects.toMatchObject(refusal);
});

it('R31 starts another one after one that was killed, for old clients as well', async () => {
  const old = await open();
  const { pid } = await old.server();
  await end(pid);
  const client = await open();
  expect(readDiscovery(home)?.pid).not.toBe(pid);
  const fresh = await client.server();
  expect(fresh.pid).not.toBe(pid);
  expect(await old.server()).toMatchObject({ pid: fresh.pid });
  await end(fresh.pid);
  expect((await old.server()).pid).not.toBe(fresh.pid);
});

it('does not start a server that somebody has stopped, for old clients', async () => {
  const old = await open();
  await old.stop();
  await expect.poll(() => readDiscovery(home)).toBeNull();
  await expect(old.server()).rejects.toMatchObject({
    code: 'noServer',
    message: expect.stringContaining('No vbatch server runs'),
  });
});

it('waits for a stopped server to let go of the state folder', async () => {
  const old = await open({}, { PUPPET: 'lingering' });
  const pid = await old.stop();
  await expect.poll(() => readDiscovery(home)).toBeNull();
  expect((await (await open()).server()).pid).not.toBe(pid);
});

it('takes neither a foreign process nor a foreign port for the server', async () => {
  const { pid, ...address } = await open().then(async (client) => {
    const { pid } = await client.server();
    return { pid, port: readDiscovery(home)?.port ?? 0 };
  });
  await end(pid);
  // The number of the dead server's process is this test's by now.
  writeDiscovery(home, { pid: process.pid, token: 'x', version: '1.0.0', ...address });
  await expect(open({ start: false })).rejects.toMatchObject({ code: 'noServer' });
  expect((await (await open()).server()).pid).not.toBe(process.pid);
});

it('refuses a server of another version, and says what to do', async () => {
  await open({ version: null }, { PUPPET_VERSION: '0.9.0' });
  await expect(open()).rejects.toMatchObject({
    code: 'refused',
    message:
      'The server that runs is vbatch 0.9.0 and this is 1.0.0; run "vctl server stop" and repeat the command (running tasks go on).',
  });
  expect(await (await open({ version: null })).server()).toMatchObject({ version: '1.2.3' });
});

it('passes on why a server cannot start', async () => {
  await expect(open({}, { PUPPET: 'misconfigured' })).rejects.toMatchObject({
    code: 'configuration',
    message: 'The puppet has no strings.',
  });
});

it('shows the end of the log of a server that dies', async () => {
  await expect(open({}, { PUPPET: 'crash' })).rejects.toMatchObject({
    code: 'noServer',
    message: `The vbatch server ended while it started; ${home}/server.log ends with\nthe puppet tears its strings`,
  });
});

it('says why where the state folder cannot be made', async () => {
  home = join(home, 'x');
  writeFileSync(join(home, '../..', 'state'), 'a file');
  await expect(open()).rejects.toMatchObject({
    code: 'noServer',
    message: expect.stringMatching(/^The state folder cannot be used: E(NOTDIR|EXIST): .*state/),
  });
  home = join(home, '..');
});

it('says why where the program cannot be started', async () => {
  await expect(open({ serverFile: join(bundle, 'nowhere.cjs') })).rejects.toMatchObject({
    code: 'noServer',
    message: expect.stringContaining('Cannot find module'),
  });
});
