import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChannelRequest, type Link, NoRoom, type SshChannel } from '../../../server/ssh/channel.ts';
import { later } from '../../../server/ssh/later.ts';
import { Sessions } from '../../../server/ssh/sessions.ts';
import { ManualTimers } from '../../support/manualTimers.ts';

/** A host that opens so many channels at once, and frees them only some time after they have closed. */
class FakeHost implements Link {
  readonly serverVersion = 'fake';
  readonly identity = 'fake';
  private readonly over = later<string>();
  readonly ended = this.over.promise;
  /** Channels that the host counts, and those that have not closed. */
  private counted = 0;
  private held = 0;
  mostHeld = 0;
  refusals = 0;
  readonly channels: { command: string; close(): void }[] = [];

  constructor(
    public room: number,
    private readonly timers: ManualTimers,
    private readonly lingering = 0,
  ) {}

  async open(request: ChannelRequest): Promise<SshChannel> {
    if (this.counted >= this.room) {
      this.refusals += 1;
      throw new NoRoom('open failed');
    }
    this.counted += 1;
    this.held += 1;
    this.mostHeld = Math.max(this.mostHeld, this.held);
    const closed = later<void>();
    this.channels.push({
      command: 'command' in request ? request.command : '',
      close: () => {
        this.held -= 1;
        if (this.lingering === 0) this.counted -= 1;
        else this.timers.after(this.lingering, () => (this.counted -= 1));
        closed.resolve();
      },
    });
    return { closed: closed.promise } as unknown as SshChannel;
  }

  close(): void {
    this.over.resolve('it was closed');
  }
}

/** Lets everything happen that waits for nothing but its turn. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Sessions', () => {
  it('opens no more than the host has room for, in order, and all in the end', async () => {
    const timers = new ManualTimers();
    const host = new FakeHost(3, timers);
    const sessions = new Sessions(host, 10, timers, 'box');
    const all = Array.from({ length: 12 }, (_, index) => sessions.request({ command: `${index}` }));
    await settle();
    expect(host.channels).toHaveLength(3);
    for (let closing = 0; closing < 12; closing++) {
      host.channels[closing]?.close();
      timers.advance(0);
      await settle();
    }
    await Promise.all(all);
    expect(host.channels.map(({ command }) => command)).toEqual(
      Array.from({ length: 12 }, (_, index) => `${index}`),
    );
    // Ten were asked for at once; from then on only what there is room for.
    expect(host.refusals).toBe(7);
  });

  it('does not take a host that still counts a closed channel for a smaller one', async () => {
    const timers = new ManualTimers();
    const host = new FakeHost(4, timers, 30);
    const sessions = new Sessions(host, 4, timers, 'box');
    const ask = (): Promise<SshChannel> => sessions.request({ command: 'x' });
    await Promise.all(Array.from({ length: 4 }, ask));
    for (const channel of host.channels.slice(1)) channel.close();
    await settle();
    // Refused once, because of the others; but not a sign that there is room for no more.
    const first = ask();
    await settle();
    expect(host.refusals).toBe(1);
    timers.advance(50);
    await first;
    await Promise.all([ask(), ask()]);
    expect(host.mostHeld).toBe(4);
  });

  it('finds out when a host has more room than it was thought to have', async () => {
    const timers = new ManualTimers();
    const host = new FakeHost(1, timers);
    const sessions = new Sessions(host, 10, timers, 'box');
    await sessions.request({ command: 'stays' });
    const second = sessions.request({ command: 'second' });
    await settle();
    expect(host.refusals).toBe(1);
    host.room = 10;
    timers.advance(1_000);
    await second;
    const third = sessions.request({ command: 'third' });
    await settle();
    expect(host.channels).toHaveLength(2);
    timers.advance(1_000);
    await third;
    expect(host.refusals).toBe(1);
  });

  it('gives up where not one channel is opened', async () => {
    const timers = new ManualTimers();
    const sessions = new Sessions(new FakeHost(0, timers), 10, timers, 'box');
    const request = sessions.request({ command: 'x' });
    const refused = expect(request).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('box opens no session at all (open failed)'),
    });
    for (let time = 0; time < 10; time++) {
      await settle();
      timers.advance(1_000);
    }
    await refused;
  });

  it('lets those go who wait no longer, and nothing is opened for them', async () => {
    const timers = new ManualTimers();
    const host = new FakeHost(1, timers);
    const sessions = new Sessions(host, 2, timers, 'box');
    await sessions.request({ command: 'first' });
    const leaving = new AbortController();
    // The second is refused by the host, the third waits for its turn.
    const left = ['second', 'third'].map((command) => sessions.request({ command }, leaving.signal));
    const ends = Promise.all(left.map((request) => expect(request).rejects.toThrow('no patience')));
    const last = sessions.request({ command: 'last' });
    await settle();
    leaving.abort(new Error('no patience'));
    await settle();
    host.channels[0]?.close();
    timers.advance(1_000);
    await ends;
    timers.advance(1_000);
    await last;
    expect(host.channels.map(({ command }) => command)).toEqual(['first', 'last']);
  });

  it('lets nobody wait when the connection is over', async () => {
    const timers = new ManualTimers();
    const host = new FakeHost(1, timers);
    const sessions = new Sessions(host, 2, timers, 'box');
    const requests = Array.from({ length: 5 }, () => sessions.request({ command: 'x' }));
    await settle();
    host.room = 10;
    host.close();
    await settle();
    await Promise.all(requests);
  });

  it('never holds more than it may, and serves everyone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(100),
        fc.array(fc.constantFrom('ask', 'close', 'wait'), { maxLength: 40 }),
        async (room, most, lingering, steps) => {
          const timers = new ManualTimers();
          const host = new FakeHost(room, timers, lingering);
          const sessions = new Sessions(host, most, timers, 'box');
          const requests: Promise<SshChannel>[] = [];
          let closed = 0;
          const close = (): void => host.channels[closed++]?.close();
          for (const step of steps) {
            if (step === 'ask') requests.push(sessions.request({ command: `${requests.length}` }));
            else if (step === 'close' && closed < host.channels.length) close();
            else timers.advance(50);
            await settle();
          }
          for (let time = 0; time < 500 && host.channels.length < requests.length; time++) {
            if (closed < host.channels.length) close();
            timers.advance(100);
            await settle();
          }
          await Promise.all(requests);
          expect(host.channels).toHaveLength(requests.length);
          expect(host.mostHeld).toBeLessThanOrEqual(Math.min(room, most));
        },
      ),
      { numRuns: 100 },
    );
  });
});
