import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Context } from '../../../cli/commands/context.ts';
import { runVctl } from '../../../cli/vctlProgram.ts';
import type { Client } from '../../../server/client/client.ts';
import type { StreamMessage, TaskView } from '../../../server/protocol/tasks.ts';
import { detail, type FakeIo, fakeIo, start, view } from '../../unit/cli/fixture.ts';

let server: WebSocketServer;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
});

const running = view('p-1', 'RUNNING_SUBTASKS');
const first: TaskView[] = [running, view('p-1/a', 'SUCCESS'), view('p-1/b', 'RUNNING')];

/** Starts `vctl task watch p-1`. Resolves with the connection on which its events go. */
async function watch(io: FakeIo) {
  let code = 0;
  const client = {
    task: async () => detail(running),
    locate: async () => ({ port: (server.address() as AddressInfo).port, token: 'secret' }),
  };
  const context: Context = {
    io,
    home: '/',
    connect: async () => client as unknown as Client,
    connectIfRunning: async () => null,
    workspace: null,
    now: () => start + 90_000,
    exitWith: (given) => {
      code = given;
    },
  };
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const ended = runVctl(['task', 'watch', 'p'], context, '1.2.3').then(() => code);
  const [socket] = await connected;
  return { socket, ended };
}

function send(socket: WebSocket, ...messages: StreamMessage[]): void {
  for (const message of messages) socket.send(JSON.stringify(message));
}

/** Resolves when stdout shows this text. */
async function shown(io: FakeIo, text: string): Promise<void> {
  while (!io.stdout.text.includes(text)) await once(io.stdout, 'written');
}

const hello: StreamMessage = { type: 'hello', sequence: 5, reset: true };

describe('vctl task watch', () => {
  it('prints each change, resumes after a lost connection, and ends with the code of the task', async () => {
    const io = fakeIo();
    const { socket, ended } = await watch(io);
    send(socket, hello, { type: 'tasks', sequence: 5, tasks: first, removed: [] });
    await shown(io, 'p-1/b');
    const again = once(server, 'connection') as Promise<[WebSocket, { url: string }]>;
    socket.terminate();
    const [next, { url }] = await again;
    expect(url).toContain('after=5');
    const failed = view('p-1/b', 'FAILURE');
    const top = view('p-1', 'FAILURE', { exitCode: 0, reason: '1 of 2 sub-tasks failed' });
    send(
      next,
      { type: 'hello', sequence: 7, reset: false },
      { type: 'tasks', sequence: 7, tasks: [failed, top], removed: [] },
    );
    expect(await ended).toBe(1);
    expect(io.stdout.text).toBe(
      [
        '12:01:30  p-1  ◐ RUNNING_SUBTASKS',
        '12:01:30  p-1/b  ● RUNNING',
        '12:01:30  p-1/b  ✗ FAILURE  12s  exited with 3',
        '12:01:30  p-1  ✗ FAILURE  12s  1 of 2 sub-tasks failed',
        '',
      ].join('\n'),
    );
    expect(io.stderr.text).toContain('vctl: reconnecting: ');
  });

  it('redraws the tree in place on a terminal, and leaves its last state there', async () => {
    const io = fakeIo({ terminal: true, env: { NO_COLOR: '1' } });
    const { socket, ended } = await watch(io);
    send(socket, hello, { type: 'tasks', sequence: 5, tasks: first, removed: [] });
    await shown(io, '└─ b  ● RUNNING');
    const tasks = [view('p-1/b', 'SUCCESS'), view('p-1', 'SUCCESS')];
    send(socket, { type: 'tasks', sequence: 6, tasks, removed: ['p-1/a'] });
    expect(await ended).toBe(0);
    const frames = io.stdout.text.split('\x1b[3A\x1b[J');
    expect(frames.at(-1)).toBe('p-1   ✓ SUCCESS  12s\n└─ b  ✓ SUCCESS  12s\n');
  });

  it('says when the task has been removed', async () => {
    const io = fakeIo();
    const { socket, ended } = await watch(io);
    send(socket, hello, { type: 'tasks', sequence: 5, tasks: [], removed: ['p-1'] });
    await expect(ended).rejects.toThrow('p-1 has been removed');
  });
});
