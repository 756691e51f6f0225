import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Hub, type Peer, type Subscription, stallMs } from '../../../server/http/hub.ts';
import type { StreamMessage } from '../../../server/protocol/tasks.ts';
import { FakeEngine } from '../../support/fakeEngine.ts';
import { ManualTimers } from '../../support/manualTimers.ts';

const all: Subscription = { after: null, below: null, top: false };

/** A client that takes messages when told to. */
class FakeClient implements Peer {
  readonly messages: StreamMessage[] = [];
  dropped: StreamMessage | null = null;
  underWay = 0;
  largestUnderWay = 0;
  private sent: (() => void) | null = null;

  constructor(public reads: boolean) {}

  send(message: string, sent: () => void): void {
    expect(this.sent).toBeNull();
    this.underWay = message.length;
    this.largestUnderWay = Math.max(this.largestUnderWay, message.length);
    this.messages.push(JSON.parse(message));
    this.sent = sent;
    if (this.reads) this.take();
  }

  drop(farewell: string): void {
    this.dropped = JSON.parse(farewell);
  }

  /** Takes the message under way, if there is one. */
  take(): void {
    const { sent } = this;
    this.sent = null;
    this.underWay = 0;
    sent?.();
  }

  get tasks() {
    return this.messages.filter((message) => message.type === 'tasks');
  }
}

function setUp() {
  const engine = new FakeEngine();
  const timers = new ManualTimers();
  const hub = new Hub(engine, timers, pino({ level: 'silent' }));
  const attach = (subscription: Subscription, reads = true) => {
    const client = new FakeClient(reads);
    return { client, detach: hub.attach(client, subscription) };
  };
  return { engine, timers, hub, attach };
}

/** Lets what is asynchronous in tellHosts happen. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a new client', () => {
  it('gets hello, the whole picture and the hosts', async () => {
    const { engine, attach } = setUp();
    engine.put('a');
    engine.put('a/b');
    const { client } = attach(all);
    await settled();
    expect(client.messages).toMatchObject([
      { type: 'hello', sequence: 2, reset: true },
      { type: 'tasks', sequence: 2, tasks: [{ id: 'a' }, { id: 'a/b' }], removed: [] },
      { type: 'hosts', hosts: [{ name: 'local' }] },
    ]);
  });

  it('learns that the picture is whole even where it is empty', () => {
    const { client } = setUp().attach(all);
    expect(client.messages).toMatchObject([
      { type: 'hello', sequence: 0, reset: true },
      { type: 'tasks', sequence: 0, tasks: [], removed: [] },
    ]);
  });

  it('gets 1,200 tasks in chunks, of which only the last can be resumed from', () => {
    const { engine, attach } = setUp();
    engine.putAll(Array.from({ length: 1_200 }, (_, i) => `run-${i}`));
    const { client } = attach(all);
    expect(client.tasks.map(({ tasks, sequence }) => [tasks.length, sequence])).toEqual([
      [500, 0],
      [500, 0],
      [200, 1_200],
    ]);
  });

  it('gets large tasks in messages of at most one task more than 256 KiB', () => {
    const { engine, attach } = setUp();
    for (let i = 0; i < 6; i++) engine.put(`run-${i}`, { command: ['x'.repeat(200_000)] });
    const { client } = attach(all);
    expect(client.tasks.map(({ tasks }) => tasks.length)).toEqual([2, 2, 2]);
    expect(client.largestUnderWay).toBeLessThan(512 * 1024);
  });

  it('gets only what lies below its task', () => {
    const { engine, attach, timers } = setUp();
    engine.putAll(['a', 'a/b', 'ab', 'c']);
    const { client } = attach({ after: null, below: 'a', top: false });
    expect(client.tasks).toMatchObject([{ tasks: [{ id: 'a' }, { id: 'a/b' }], sequence: 4 }]);
    engine.putAll(['ab', 'c']);
    engine.remove('ab');
    timers.advance(50);
    expect(client.tasks).toHaveLength(1);
    engine.put('a/b/c');
    engine.remove('a/b');
    timers.advance(50);
    expect(client.tasks[1]).toMatchObject({ tasks: [{ id: 'a/b/c' }], removed: ['a/b'], sequence: 9 });
  });
});

describe('updates', () => {
  it('gathers what changes within 50 ms, and tells the first of it at once', () => {
    const { engine, timers, attach } = setUp();
    const { client } = attach(all);
    timers.advance(1_000);
    engine.put('a');
    timers.advance(0);
    expect(client.tasks.at(-1)).toMatchObject({ tasks: [{ id: 'a' }], sequence: 1 });
    for (let i = 0; i < 10; i++) engine.put('a', { priority: i });
    engine.put('b');
    timers.advance(49);
    expect(client.tasks).toHaveLength(2);
    timers.advance(1);
    expect(client.tasks).toHaveLength(3);
    expect(client.tasks.at(-1)).toMatchObject({
      tasks: [{ id: 'a', priority: 9 }, { id: 'b' }],
      sequence: 12,
    });
  });

  it('tells removed tasks', () => {
    const { engine, timers, attach } = setUp();
    engine.put('a');
    const { client } = attach(all);
    engine.remove('a');
    timers.advance(50);
    expect(client.tasks.at(-1)).toEqual({ type: 'tasks', tasks: [], removed: ['a'], sequence: 2 });
  });

  it('tells the hosts when they change', async () => {
    const { engine, timers, attach } = setUp();
    const { client } = attach(all);
    await settled();
    engine.publishHosts();
    engine.publishHosts();
    timers.advance(50);
    await settled();
    expect(client.messages.filter(({ type }) => type === 'hosts')).toHaveLength(2);
  });

  it('makes the text of a task once for all clients', () => {
    const { engine, timers, attach } = setUp();
    for (let i = 0; i < 10; i++) attach(all);
    engine.put('a');
    let asked = 0;
    const views = engine.views.bind(engine);
    engine.views = (numbers) => {
      asked += 1;
      return views(numbers);
    };
    timers.advance(50);
    expect(asked).toBe(1);
  });

  it('shows nothing that a crash could still undo', () => {
    const { engine, timers, attach } = setUp();
    const { client } = attach(all);
    timers.advance(50);
    const durable: (() => void)[] = [];
    engine.whenSettled = (action) => void durable.push(action);
    engine.put('a');
    timers.advance(50);
    expect(client.tasks.at(-1)?.tasks).toEqual([]);
    for (const action of durable.splice(0)) action();
    expect(client.tasks.at(-1)).toMatchObject({ tasks: [{ id: 'a' }] });
  });

  it('lets go of the engine and its timers when the last client has gone', async () => {
    const { engine, timers, attach, hub } = setUp();
    const first = attach(all, false);
    const second = attach(all);
    engine.put('a');
    first.detach();
    expect(engine.subscribers).toBe(1);
    second.detach();
    expect(engine.subscribers).toBe(0);
    expect(timers.pending).toBe(0);
    attach(all, false);
    hub.close();
    expect([engine.subscribers, timers.pending]).toEqual([0, 0]);
    await settled();
  });
});

describe('resuming', () => {
  it('tells what has changed and gone since', () => {
    const { engine, attach } = setUp();
    engine.putAll(['a', 'b', 'c']);
    const after = engine.sequence;
    engine.put('b');
    engine.remove('c');
    const { client } = attach({ after, below: null, top: false });
    expect(client.messages.slice(0, 2)).toMatchObject([
      { type: 'hello', sequence: 5, reset: false },
      { type: 'tasks', tasks: [{ id: 'b' }], removed: ['c'], sequence: 5 },
    ]);
  });

  it('looks only at what lies below its task', () => {
    const { engine, attach } = setUp();
    engine.putAll(['a', ...Array.from({ length: 100 }, (_, i) => `run-${i}`)]);
    const looks: number[] = [];
    const views = engine.views.bind(engine);
    engine.views = (numbers) => {
      looks.push(...numbers);
      return views(numbers);
    };
    attach({ after: 1, below: 'run-7', top: false });
    expect(looks).toHaveLength(1);
  });

  it('starts anew where the sequence is too old, or from the future', () => {
    const { engine, attach } = setUp();
    engine.putAll(['a', 'b', 'c']);
    engine.forgottenBefore = 2;
    for (const after of [1, 99]) {
      const { client } = attach({ after, below: null, top: false });
      expect(client.messages[0]).toMatchObject({ type: 'hello', reset: true });
      expect(client.tasks[0]?.tasks).toHaveLength(3);
    }
  });
});

describe('a client that does not read', () => {
  it('costs one message, holds up nobody, and is dropped after 30 s with where to resume', async () => {
    const { engine, timers, attach } = setUp();
    const slow = attach(all, false).client;
    const fast = attach(all).client;
    slow.take();
    slow.take();
    await settled();
    slow.take();
    for (let second = 0; second < 29; second++) {
      engine.putAll(Array.from({ length: 2_000 }, (_, i) => `run-${i}`));
      timers.advance(1_000);
    }
    expect(slow.messages).toHaveLength(4);
    expect(slow.largestUnderWay).toBeLessThan(512 * 1024);
    expect(fast.tasks.flatMap(({ tasks }) => tasks)).toHaveLength(29 * 2_000);
    expect(slow.dropped).toBeNull();
    timers.advance(1_001);
    expect(slow.dropped).toEqual({ type: 'dropped', sequence: 0 });
    expect(fast.dropped).toBeNull();
    engine.put('later');
    timers.advance(stallMs);
    expect(slow.messages).toHaveLength(4);
    expect(fast.tasks.at(-1)).toMatchObject({ tasks: [{ id: 'later' }] });
  });

  it('is told once how things are when it reads again', () => {
    const { engine, timers, attach } = setUp();
    const { client } = attach(all, false);
    client.take();
    client.take();
    engine.put('a', { priority: 0 });
    timers.advance(50);
    for (let i = 1; i < 100; i++) {
      engine.put('a', { priority: i });
      timers.advance(50);
    }
    client.reads = true;
    client.take();
    expect(client.tasks.at(-1)).toMatchObject({ tasks: [{ id: 'a', priority: 99 }], sequence: 100 });
    timers.advance(10 * stallMs);
    expect(client.dropped).toBeNull();
  });
});

/** What a client knows that follows the messages as docs/api/README.md tells it to. */
class Picture {
  readonly known = new Map<string, number>();
  /** Where to resume; null for all anew. */
  after: number | null = null;
  /** Where the present connection resumed, and what it has told. */
  private resumed = 0;
  private readonly told = new Set<string>();

  apply(message: StreamMessage): void {
    if (message.type === 'hello') {
      if (message.reset) {
        this.known.clear();
        this.after = null;
      }
      this.resumed = this.after ?? 0;
      this.told.clear();
    } else if (message.type === 'tasks') {
      for (const id of message.removed) this.known.delete(id);
      for (const { id, revision } of message.tasks) {
        const what = `${id} ${revision}`;
        if (revision <= this.resumed || this.told.has(what)) throw new Error(`${what} is told twice`);
        this.told.add(what);
        this.known.set(id, revision);
      }
      this.after = message.sequence === 0 ? null : message.sequence;
    }
  }
}

it('leaves no gap and tells nothing that is known, wherever a connection breaks', () => {
  const id = fc.integer({ min: 0, max: 9 }).map((i) => `run-${i}`);
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), id }),
    fc.record({ do: fc.constant('putMany' as const), count: fc.integer({ min: 400, max: 1_300 }) }),
    fc.record({ do: fc.constant('remove' as const), id }),
    fc.record({ do: fc.constant('pass' as const), time: fc.integer({ min: 0, max: 120 }) }),
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({ do: fc.constant('break' as const), unseen: fc.nat(2) }),
    fc.record({ do: fc.constant('forget' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { engine, timers, attach } = setUp();
      const picture = new Picture();
      let seen = 0;
      let { client, detach } = attach(all, false);
      const read = (unseen: number) => {
        const upTo = Math.max(seen, client.messages.length - unseen);
        for (const message of client.messages.slice(seen, upTo)) picture.apply(message);
        seen = upTo;
      };
      for (const each of steps) {
        if (each.do === 'put') engine.put(each.id);
        else if (each.do === 'putMany')
          engine.putAll(Array.from({ length: each.count }, (_, i) => `run-${i}`));
        else if (each.do === 'remove' && engine.numbers(each.id).length > 0) engine.remove(each.id);
        else if (each.do === 'pass') timers.advance(each.time);
        else if (each.do === 'take') client.take();
        else if (each.do === 'forget') engine.forgottenBefore = engine.sequence;
        else if (each.do === 'break') {
          read(each.unseen);
          detach();
          ({ client, detach } = attach({ after: picture.after, below: null, top: false }, false));
          seen = 0;
        }
      }
      timers.advance(100);
      client.reads = true;
      client.take();
      read(0);
      const truth = new Map(engine.views(engine.numbers(null)).map((task) => [task.id, task.revision]));
      expect(picture.known).toEqual(truth);
      expect(picture.after ?? 0).toBe(engine.sequence);
    }),
    { numRuns: 120 },
  );
});
