import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Screen } from '../../../cli/render/screen.ts';
import { type AtTerminal, atTask, besideTask } from '../../../cli/terminal.ts';
import { waitFor } from '../../../cli/wait.ts';
import { Client } from '../../../server/client/client.ts';
import { terminalBeside } from '../../../server/client/terminal.ts';
import type { TerminalEnd, Viewer } from '../../../server/hosts/host.ts';
import { type Fixture, startServer, token } from '../http/fixture.ts';
import { type FakeIo, fakeIo } from './fixture.ts';

/** The terminal of the one task, as the server has it. */
class FakeTerminal {
  typed = '';
  sizes: string[] = [];
  viewer: Viewer | null = null;
  attended = 0;
  isGone = false;

  async attend(viewer: Viewer) {
    this.attended += 1;
    if (this.isGone) return 'gone' as const;
    this.viewer = viewer;
    const seat = {
      input: async (bytes: Buffer) => {
        this.typed += bytes.toString('latin1');
      },
      resize: ({ rows, columns }: { rows: number; columns: number }) =>
        void this.sizes.push(`${columns}x${rows}`),
      leave: () => {},
    };
    return { attempt: 1, seat };
  }

  async show(text: string): Promise<void> {
    await this.viewer?.show(Buffer.from(text, 'latin1'));
  }

  over(end: Partial<TerminalEnd> = {}): void {
    this.viewer?.over({ exitCode: null, lost: null, ...end });
  }
}

let server: Fixture;
let terminal: FakeTerminal;
let io: FakeIo;
const clients: Client[] = [];
const places: AtTerminal[] = [];

beforeEach(async () => {
  server = await startServer();
  server.engine.put('t', { status: 'RUNNING', terminal: true });
  terminal = new FakeTerminal();
  server.engine.terminal = (viewer) => terminal.attend(viewer);
  io = fakeIo({ terminal: true, env: { TERM: 'xterm' } });
});
afterEach(async () => {
  for (const place of places.splice(0)) place.leave();
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

/** Finds whichever server is there, as the command lines do. */
function connect(): Client {
  const here = async () => ({ port: server.port, token });
  const client = new Client({ port: server.port, token }, here);
  clients.push(client);
  return client;
}

function sit(): AtTerminal {
  const place = atTask('t', 'vrun', { client: connect(), io, screen: new Screen(io) });
  places.push(place);
  return place;
}

/** Resolves when the person's terminal is raw, which it is while the task's is open. */
const untilRaw = () => expect.poll(() => io.keyboard.raw).toBe(true);

it('R36 passes keys and what is shown on as they are, with the terminal raw meanwhile', async () => {
  const place = sit();
  expect(io.keyboard.raw).toBe(false);
  await untilRaw();
  io.keyboard.press('ls\x03\x1a\r');
  await terminal.show('a\x1b[1mb\xff');
  await expect.poll(() => terminal.typed).toBe('ls\x03\x1a\r');
  expect(io.stdout.text).toBe('a\x1b[1mb\xff');
  terminal.over();
  expect(await place.departed).toEqual({ kind: 'ended', exitCode: null });
  expect(io.keyboard.raw).toBe(false);
  expect(io.keyboard.listenerCount('data')).toBe(0);
  expect(io.stdout.listenerCount('resize')).toBe(0);
});

it('R36 tells the size, and each change of it', async () => {
  sit();
  await expect.poll(() => terminal.sizes.at(-1)).toBe('80x24');
  Object.assign(io.stdout, { rows: 50, columns: 132 });
  io.stdout.emit('resize');
  await expect.poll(() => terminal.sizes.at(-1)).toBe('132x50');
});

it('R36 leaves by ~. and says how to come back', async () => {
  const place = sit();
  await untilRaw();
  io.keyboard.press('one\r~?');
  expect(io.stderr.text).toContain('~.  detach: the command goes on\r\n');
  io.keyboard.press('~.two');
  expect(await place.departed).toEqual({ kind: 'left' });
  expect(io.keyboard.raw).toBe(false);
  expect(io.stderr.text).toContain('vrun: t goes on; `vctl task attach t` comes back to it\n');
  expect(terminal.typed).toBe('one\r');
});

it('R36 lets somebody else have the terminal, and shows nothing meanwhile', async () => {
  const screen = new Screen(io);
  const place = atTask('t', 'vrun', { client: connect(), io, screen });
  places.push(place);
  await untilRaw();
  place.suspend();
  expect(io.keyboard.raw).toBe(false);
  let answer = () => {};
  const asked = screen.hold(() => new Promise<void>((resolve) => (answer = resolve)));
  const shown = terminal.show('held');
  io.keyboard.press('x');
  screen.status('a status');
  expect(io.stdout.text).toBe('');
  answer();
  await asked;
  place.resume();
  await shown;
  await expect.poll(() => io.stdout.text).toBe('held');
  expect(io.keyboard.raw).toBe(true);
  expect(terminal.typed).toBe('');
});

it('R36 tells why the terminal is gone', async () => {
  const place = sit();
  await untilRaw();
  terminal.over({ lost: 'the connection is lost' });
  expect(await place.departed).toEqual({ kind: 'lost', reason: 'the connection is lost' });
});

it('R31 looks for the next server, and learns from it that the terminal is gone', async () => {
  const place = sit();
  await untilRaw();
  terminal.isGone = true;
  await server.close();
  await expect.poll(() => io.keyboard.raw).toBe(false);
  const { engine } = server;
  server = await startServer({ engine });
  expect(await place.departed).toEqual({ kind: 'lost', reason: expect.stringContaining('lost') });
  expect(terminal.attended).toBe(2);
});

it('R36 comes back where only the connection was lost', async () => {
  const place = sit();
  await untilRaw();
  const { engine } = server;
  await server.close();
  server = await startServer({ engine });
  await expect.poll(() => terminal.attended).toBe(2);
  await untilRaw();
  io.keyboard.press('again');
  await expect.poll(() => terminal.typed).toBe('again');
  terminal.over();
  expect((await place.departed).kind).toBe('ended');
});

it('R36 a shell beside a task tells its exit code, and does not outlive its server', async () => {
  const screen = new Screen(io);
  const own = { term: 'xterm', rows: 24, columns: 80 };
  const beside = () => besideTask('t', own, ['ls', '\udc80'], { client: connect(), io, screen });
  const first = beside();
  await untilRaw();
  expect(server.engine.calls).toEqual([['beside', 't', { command: ['ls', '\udc80'], terminal: own }]]);
  terminal.over({ exitCode: 7 });
  expect(await first.departed).toEqual({ kind: 'ended', exitCode: 7 });
  const second = beside();
  await untilRaw();
  await server.close();
  expect(await second.departed).toMatchObject({ kind: 'lost' });
  server = await startServer();
});

it('tells why no terminal can be had', async () => {
  server.engine.terminal = async () => 'ended';
  const own = { term: 'xterm', rows: 24, columns: 80 };
  const place = { client: connect(), io, screen: new Screen(io) };
  const refused = await besideTask('t', own, null, place).departed;
  expect(refused).toMatchObject({ kind: 'failed', error: { code: 'refused', message: 't is ended.' } });
  const unknown = await besideTask('nobody', own, null, place).departed;
  expect(unknown).toMatchObject({ kind: 'failed', error: { code: 'notFound' } });
  expect(() => terminalBeside('t', own, ['x'.repeat(20_000)])).toThrow('too long');
});

it('does not start once it was left', async () => {
  const place = sit();
  place.leave();
  expect(await place.departed).toEqual({ kind: 'left' });
  // The server has dealt with the connection, if there was one, when it answers what came after it.
  await connect().task('t');
  expect(io.keyboard.raw).toBe(false);
});

it('shows much, as fast as it is read', async () => {
  const place = sit();
  await untilRaw();
  const write = io.stdout.write.bind(io.stdout);
  io.stdout.write = (data) => {
    write(data);
    setImmediate(() => io.stdout.emit('drain'));
    return false;
  };
  const piece = 'x'.repeat(10_000);
  for (let i = 0; i < 300; i++) await terminal.show(piece);
  terminal.over();
  await place.departed;
  expect(io.stdout.text).toHaveLength(3_000_000);
});

/** Waits as vrun does. */
function wait(program: 'vrun' | 'vctl' = 'vrun'): Promise<number> {
  const client = connect();
  const sitDown = (screen: Screen) => {
    const place = atTask('t', program, { client, io, screen });
    places.push(place);
    return place;
  };
  return waitFor('t', client, io, { program, follow: false, quiet: false, typing: false, terminal: sitDown });
}

it('R3 R36 a wait at a terminal ends with the code of the task', async () => {
  const code = wait();
  await untilRaw();
  await terminal.show('bye\r\n');
  terminal.over();
  server.engine.put('t', { status: 'FAILURE', exitCode: 3, resolvedAt: '2025-01-01T00:00:00.000Z' });
  expect(await code).toBe(3);
  expect(io.stdout.text).toBe('bye\r\n');
  expect(io.stderr.text).not.toContain('ended');
});

it('R36 shows why it waits before there is a terminal, and where Ctrl-C leads then', async () => {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  server.engine.terminal = async (viewer) => {
    await begun;
    return terminal.attend(viewer);
  };
  server.engine.put('t', { status: 'QUEUED', reason: 'pool one is full' });
  const code = wait();
  while (!io.stderr.text.includes('pool one is full')) await once(io.stderr, 'written');
  io.signals.emit('SIGINT', 'SIGINT');
  while (!io.stderr.text.includes('[d]etach')) await once(io.stderr, 'written');
  begin();
  await expect.poll(() => terminal.sizes).toHaveLength(2);
  // The keys are still for the question.
  io.keyboard.press('x');
  await untilRaw();
  io.keyboard.press('y');
  await expect.poll(() => terminal.typed).toBe('y');
  io.keyboard.press('\r~.');
  expect(await code).toBe(130);
  expect(io.keyboard.raw).toBe(false);
});

it('R36 waits on without a terminal that is gone', async () => {
  const code = wait();
  await untilRaw();
  terminal.over({ lost: 'the connection is lost' });
  while (!io.stderr.text.includes('is gone: the connection is lost')) await once(io.stderr, 'written');
  server.engine.put('t', {
    status: 'FAILURE',
    exitCode: 129,
    signal: 'HUP',
    resolvedAt: '2025-01-01T00:00:00.000Z',
  });
  expect(await code).toBe(129);
});

it.each([
  ['vrun', 'cancel'],
  ['vctl', undefined],
] as const)('R36 SIGTERM sent to %s means %s', async (program, action) => {
  const code = wait(program);
  await untilRaw();
  io.signals.emit('SIGTERM', 'SIGTERM');
  if (action) {
    await expect.poll(() => server.engine.calls).toContainEqual([action, 't']);
    terminal.over();
    server.engine.put('t', {
      status: 'CANCELLED',
      exitCode: 143,
      signal: 'TERM',
      resolvedAt: '2025-01-01T00:00:00.000Z',
    });
  }
  expect(await code).toBe(143);
  expect(io.keyboard.raw).toBe(false);
  expect(server.engine.calls).toHaveLength(action ? 1 : 0);
});
