import { describe, expect, it } from 'vitest';
import { type ConnectionState, Link } from '../../../../extension/connection/link.ts';
import { serverEnvironment } from '../../../../extension/connection/serverEnvironment.ts';
import type { Client } from '../../../../server/client/client.ts';
import type { StreamEvent } from '../../../../server/client/eventStreamState.ts';
import type { Discovery } from '../../../../server/protocol/discovery.ts';
import { VbatchError } from '../../../../server/protocol/errors.ts';

const running: Discovery = { pid: 1, port: 2, token: 't', version: '1.2.3' };

function bed(published: Discovery | null = null) {
  const world = {
    published,
    opens: 0,
    closes: 0,
    stops: 0,
    trusted: true,
    failure: null as Error | null,
    states: [] as string[],
    last: null as ConnectionState | null,
    tell: (_event: StreamEvent) => {},
  };
  const link = new Link({
    open: async () => {
      world.opens += 1;
      if (world.failure !== null) throw world.failure;
      world.published = running;
      return { close: () => (world.closes += 1) } as unknown as Client;
    },
    published: () => world.published,
    stream: (_client, listener) => {
      world.tell = listener;
      return { start: () => {}, stop: () => (world.stops += 1) };
    },
    permit: () => {
      if (!world.trusted) throw new VbatchError('refused', 'not trusted');
    },
    changed: (state) => {
      world.states.push(state.kind);
      world.last = state;
    },
    received: () => {},
  });
  return { world, link };
}

describe('the link of a window', () => {
  it('joins nothing where no server has published itself', async () => {
    const { world, link } = bed();
    await link.join();
    expect([world.opens, link.state.kind]).toEqual([0, 'idle']);
  });

  it('opens once for all who ask at the same time, and then keeps the client', async () => {
    const { world, link } = bed();
    const [one, two] = await Promise.all([link.client(), link.client()]);
    expect(one).toBe(two);
    expect(await link.client()).toBe(one);
    expect(world.opens).toBe(1);
  });

  it('is connected with the first event, and says which version', async () => {
    const { world, link } = bed(running);
    await link.join();
    world.tell({ type: 'reset' });
    expect(world.last).toEqual({ kind: 'connected', version: '1.2.3' });
    expect(world.states).toEqual(['connecting', 'connected']);
  });

  it('tells a server that was killed from one that was stopped', async () => {
    const { world, link } = bed(running);
    await link.join();
    world.tell({ type: 'reset' });
    world.tell({ type: 'disconnected', reason: 'gone' });
    expect(world.last).toEqual({ kind: 'lost', reason: 'gone', mismatch: false });
    world.published = null;
    world.tell({ type: 'disconnected', reason: 'gone' });
    expect(link.state.kind).toBe('idle');
    await link.join();
    expect(world.opens).toBe(1);
    world.published = running;
    await link.join();
    expect(world.opens).toBe(2);
  });

  it('starts a new server for a wish after one was stopped, and leaves the old link', async () => {
    const { world, link } = bed(running);
    await link.client();
    world.published = null;
    await link.client();
    expect([world.opens, world.closes, world.stops]).toEqual([2, 1, 1]);
  });

  it('is idle once whatever ran is forgotten, and stays so until the next wish', async () => {
    const { world, link } = bed(running);
    await link.client();
    world.published = null;
    link.forget();
    expect([link.state.kind, world.closes, world.stops]).toEqual(['idle', 1, 1]);
    await link.join();
    expect(world.opens).toBe(1);
    await link.client();
    expect(world.opens).toBe(2);
  });

  it('says that a server of another version runs, and tries again when asked', async () => {
    const { world, link } = bed(running);
    world.failure = new VbatchError('refused', 'another version');
    await expect(link.client()).rejects.toThrow('another version');
    expect(world.last).toEqual({ kind: 'lost', reason: 'another version', mismatch: true });
    world.failure = null;
    await link.client();
    expect(world.opens).toBe(2);
  });

  it('opens nothing where that is not permitted', async () => {
    const { world, link } = bed(running);
    world.trusted = false;
    await expect(link.client()).rejects.toThrow('not trusted');
    await link.join();
    expect(world.opens).toBe(0);
  });

  it('is silent after its end', async () => {
    const { world, link } = bed(running);
    await link.client();
    link.close();
    world.tell({ type: 'reset' });
    expect(world.states).toEqual(['connecting']);
  });
});

describe('the environment of a server that a window starts', () => {
  it("is the window's without what the editor has put there", () => {
    const env = { PATH: '/bin', VSCODE_PID: '1', ELECTRON_RUN_AS_NODE: '1', VBATCH_HOME: '/x' };
    expect(serverEnvironment(env)).toEqual({ PATH: '/bin', VBATCH_HOME: '/x' });
  });
});
