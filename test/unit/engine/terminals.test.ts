import { describe, expect, it } from 'vitest';
import type { Viewer } from '../../../server/hosts/host.ts';
import { submissionSchema } from '../../../server/protocol/tasks.ts';
import { onlineEngine, settled } from './fixture.ts';

const terminal = { term: 'xterm', rows: 24, columns: 80 };
const inTerminal = { stdin: 'terminal', terminal } as const;
const viewer: Viewer = { show: async () => {}, over: () => {} };
const forever = new AbortController().signal;

describe('R36 what can be asked for', () => {
  const base = { command: ['bash'], directory: '/' };

  it.each([
    [{ stdin: 'terminal' }, 'goes with stdin'],
    [{ terminal }, 'goes with stdin'],
    [{ ...inTerminal, retries: 1 }, 'a person starts it again'],
    [{ ...inTerminal, shards: { total: 2 } }, 'cannot share'],
    [{ ...inTerminal, terminal: { ...terminal, term: 'a b' } }, 'kind of terminal'],
    [{ ...inTerminal, terminal: { ...terminal, rows: 0 } }, ''],
  ])('refuses %j', (submission, message) => {
    const checked = submissionSchema.safeParse({ ...base, ...submission });
    expect(checked.success).toBe(false);
    expect(checked.error?.message).toContain(message);
  });

  it('takes a terminal as it is, and a task without one', () => {
    expect(submissionSchema.parse({ ...base, ...inTerminal })).toMatchObject(inTerminal);
    expect(submissionSchema.parse(base)).toMatchObject({ stdin: 'empty' });
  });
});

describe('R36 the terminal of a task', () => {
  it('is ordered with the start, and TERM is the person’s unless -e says otherwise', async () => {
    const { host, submit } = await onlineEngine();
    await submit({ ...inTerminal, variables: { A: 'b' } });
    await submit({ ...inTerminal, variables: { TERM: 'dumb' } });
    await submit();
    await settled();
    expect(host.starts.map(({ stdin }) => stdin)).toEqual([terminal, terminal, 'empty']);
    expect(host.starts.map(({ variables }) => variables.TERM)).toEqual(['xterm', 'dumb', undefined]);
  });

  it('is shown to be there', async () => {
    const { engine, submit } = await onlineEngine();
    const [own, other] = [await submit(inTerminal), await submit({ stdin: 'open' })];
    expect((await engine.find(own)).terminal).toBe(true);
    expect((await engine.find(other)).terminal).toBe(false);
  });

  it('is waited for until the task runs, and left where nobody waits any more', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit(inTerminal);
    await settled();
    const leaving = new AbortController();
    const left = engine.attend(id, viewer, leaving.signal);
    const attended = engine.attend(id, viewer, forever);
    leaving.abort();
    await expect(left).rejects.toThrow();
    host.terminals.set('1.1', new Set());
    host.reports.started('1.1');
    expect(await attended).toMatchObject({ attempt: 1 });
    expect(host.terminals.get('1.1')?.size).toBe(1);
    const place = await attended;
    if (typeof place !== 'object') throw new Error(place);
    place.seat.resize({ rows: 1, columns: 2 });
    place.seat.leave();
    expect(host.orders).toContain('resize 1.1 2x1');
    expect(host.terminals.get('1.1')?.size).toBe(0);
  });

  it('is gone where the host does not hold it, and over when the command has ended', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit(inTerminal);
    await settled();
    host.reports.started('1.1');
    await settled();
    expect(await engine.attend(id, viewer, forever)).toBe('gone');
    host.end('1.1');
    await settled();
    expect(await engine.attend(id, viewer, forever)).toBe('ended');
    const never = await submit({ ...inTerminal, hold: true });
    const attended = engine.attend(never, viewer, forever);
    await engine.cancel(never);
    expect(await attended).toBe('ended');
  });

  it('is not there for a task that has none', async () => {
    const { engine, submit } = await onlineEngine();
    const id = await submit();
    await expect(engine.attend(id, viewer, forever)).rejects.toMatchObject({ code: 'refused' });
    await expect(engine.attend('nobody', viewer, forever)).rejects.toMatchObject({ code: 'notFound' });
  });
});

describe('R36 a shell beside a task', () => {
  it('is opened on its host, in its directory', async () => {
    const { engine, host, submit } = await onlineEngine();
    const id = await submit({ directory: '/work' });
    await settled();
    host.reports.started('1.1');
    await settled();
    host.takeOrders();
    const seat = await engine.openBeside(id, { command: ['ls', '-l'], terminal }, viewer);
    seat.leave();
    expect(host.takeOrders()).toEqual(['beside 1.1 in /work: ls -l (xterm 80x24)', 'leave beside 1.1']);
  });

  it('is refused beside what does not run, and where the host is out of reach', async () => {
    const { engine, host, submit } = await onlineEngine();
    const what = { command: null, terminal };
    const id = await submit();
    await settled();
    const refused = await engine.openBeside(id, what, viewer).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'refused', message: expect.stringContaining('is STARTING') });
    host.reports.started('1.1');
    await settled();
    host.reports.offline('the network is down');
    const unreachable = await engine.openBeside(id, what, viewer).catch((error: Error) => error);
    expect(unreachable).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('the network is down'),
    });
  });
});

it('R36 inside a task -t is refused', async () => {
  const { host, submit } = await onlineEngine();
  await submit();
  await settled();
  host.reports.started('1.1');
  await settled();
  host.call('1.1', '1-0', 'vrun', '-t', 'bash');
  await settled();
  expect(host.answers).toEqual(['1.1/1-0 2 ']);
});
