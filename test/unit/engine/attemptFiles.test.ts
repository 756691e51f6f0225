import { describe, expect, it } from 'vitest';
import { AttemptFiles } from '../../../server/engine/attemptFiles.ts';
import type { Core } from '../../../server/engine/core.ts';
import type { HostState } from '../../../server/engine/fleet.ts';
import type { Rooms } from '../../../server/engine/rooms.ts';
import type { Trees } from '../../../server/engine/trees/trees.ts';
import type { Exit, Task } from '../../../server/model/task.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { FakeHost } from '../../support/fakeHost.ts';

const key = '7.1';
const task = { number: 7 } as Task;
const success: Exit = { exitCode: 0, signal: null, reason: null };

/** With files whose ways end as the list says, one after the other: null for well. */
function make(ends: readonly (Error | null)[], problem: VbatchError | null = null) {
  const left = [...ends];
  const next = () => {
    const end = left.shift() ?? null;
    return end === null ? Promise.resolve() : Promise.reject(end);
  };
  const moves = new Map<number, string>();
  const log: string[] = [];
  const files = new AttemptFiles(
    { settled: async () => {}, problem } as unknown as Core,
    { moves } as unknown as Rooms,
    { prepare: next, collectAfter: next } as unknown as Trees,
    () => {},
    (message) => log.push(message),
  );
  const host = { host: new FakeHost('n1'), online: true } as unknown as HostState;
  return { files, host, moves, log };
}

const unreachable = new VbatchError('unreachable', 'n1 is out of reach');
const full = new VbatchError('diskFull', 'no room here');
const refused = new VbatchError('refused', 'it does not tell');

describe('files that are brought', () => {
  it('have the attempt start when they are there', async () => {
    const { files, host } = make([null]);
    const bringing = files.bring(task, key, host);
    // Ordered again meanwhile, it is not started twice.
    expect(await files.bring(task, key, host)).toBe('dropped');
    expect(await bringing).toBe('ready');
  });

  it('are brought again where the link failed, unless the next connection sees to that', async () => {
    const { files, host } = make([unreachable, unreachable]);
    expect(await files.bring(task, key, host)).toBe('again');
    host.online = false;
    expect(await files.bring(task, key, host)).toBe('dropped');
  });

  it('fail the attempt where they cannot be had, with why', async () => {
    const { files, host, log } = make([new VbatchError('refused', 'No space left'), new Error('a bug')]);
    expect(await files.bring(task, key, host)).toEqual({
      failed: 'the files of the run cannot be brought to n1: No space left',
    });
    expect(log).toEqual([]);
    expect(await files.bring(task, key, host)).toMatchObject({ failed: expect.stringContaining('a bug') });
    expect(log).toEqual(['preparing 7.1 on n1: Error: a bug']);
  });
});

describe('results that are taken', () => {
  it('let the attempt end as it did', async () => {
    const { files, host, moves } = make([null]);
    const taking = files.take(task, key, host, success);
    expect(files.isTaking(key)).toBe(true);
    expect(await taking).toEqual(success);
    expect(files.isTaking(key)).toBe(false);
    expect([...moves]).toEqual([]);
  });

  it('are waited for as long as there is no room or no way, and the task says so', async () => {
    const { files, host, moves } = make([...Array.from({ length: 10 }, () => full), unreachable, null]);
    for (let time = 0; time < 10; time++) expect(await files.take(task, key, host, success)).toBe('again');
    expect(moves.get(7)).toBe('has ended; what it made cannot be taken yet: no room here');
    expect(await files.take(task, key, host, success)).toBe('again');
    expect(await files.take(task, key, host, success)).toEqual(success);
  });

  it('of a host that was lost are for the next connection', async () => {
    const { files, host, log } = make([unreachable]);
    host.online = false;
    expect(await files.take(task, key, host, success)).toBe('dropped');
    expect(log).toEqual([]);
  });

  it('that a host refuses again and again make a success a failure, and a failure stays what it was', async () => {
    const failure: Exit = { exitCode: 3, signal: null, reason: null };
    for (const [exit, end] of [
      [
        success,
        { exitCode: 125, signal: null, reason: 'what it made on n1 cannot be taken: it does not tell' },
      ],
      [failure, failure],
    ] as const) {
      const { files, host } = make(Array.from({ length: 5 }, () => refused));
      for (let time = 1; time < 5; time++) expect(await files.take(task, key, host, exit)).toBe('again');
      expect(await files.take(task, key, host, exit)).toEqual(end);
    }
  });

  it('are not refused for good where others came between', async () => {
    const { files, host } = make([refused, refused, refused, refused, null, refused]);
    for (let time = 0; time < 4; time++) expect(await files.take(task, key, host, success)).toBe('again');
    expect(await files.take(task, key, host, success)).toEqual(success);
    expect(await files.take(task, key, host, success)).toBe('again');
  });

  it('are for the next server where this one can store nothing any more', async () => {
    const { files, host } = make([refused], new VbatchError('stateFailed', 'the journal'));
    expect(await files.take(task, key, host, success)).toBe('dropped');
  });
});
