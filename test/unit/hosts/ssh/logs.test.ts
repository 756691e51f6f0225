import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostPaths } from '../../../../server/hosts/files.ts';
import type { AttemptKey, LogStream } from '../../../../server/hosts/host.ts';
import type { Site } from '../../../../server/hosts/machine.ts';
import { SshLogs } from '../../../../server/hosts/ssh/logs.ts';
import type { FileHandle, SftpClient } from '../../../../server/ssh/sftp.ts';
import { SftpError } from '../../../../server/ssh/sftpError.ts';

const theirs = hostPaths('/there');

/** The host's side: files that grow, and what was asked of them. */
class Files {
  readonly asked: string[] = [];
  private readonly contents = new Map<string, string>();

  grow(key: AttemptKey, stream: LogStream, text: string): void {
    const path = theirs.log(key, stream);
    this.contents.set(path, `${this.contents.get(path) ?? ''}${text}`);
  }

  get client(): SftpClient {
    const at = ({ path }: FileHandle, offset: number, length: number) =>
      Buffer.from(this.contents.get(path) ?? '').subarray(offset, offset + length);
    const ask = <T>(what: string, path: string, answer: () => T): Promise<T> => {
      this.asked.push(`${what} ${path.replace('/there/tasks/', '')}`);
      return Promise.resolve().then(answer);
    };
    return {
      open: (path: string) =>
        ask('open', path, () => {
          if (!this.contents.has(path)) throw new SftpError('ENOENT', 'open', path, 'no such file');
          return { bytes: Buffer.alloc(0), path };
        }),
      readOnce: (file: FileHandle, offset: number, length: number) =>
        ask('read', file.path, () => at(file, offset, Math.min(length, 32 * 1024))),
      read: (file: FileHandle, offset: number, length: number) =>
        ask('read', file.path, () => at(file, offset, length)),
      fstat: (file: FileHandle) =>
        ask('fstat', file.path, () => ({ size: at(file, 0, Number.POSITIVE_INFINITY).length })),
      close: (file: FileHandle) => ask('close', file.path, () => {}),
    } as unknown as SftpClient;
  }
}

describe('the logs of a host over SSH', () => {
  const key = '17.1';
  let folder: string;
  let files: Files;
  let logs: SshLogs;
  let discarded: AttemptKey[];
  let told: string[];

  const open = () => new SshLogs(hostPaths(folder), (message) => told.push(message));
  const attach = () => {
    logs.use(files.client);
    logs.attach({ paths: theirs } as Site, (keys) => discarded.push(...keys));
  };
  /** Resolves when the attempt's output is here. */
  const whole = async (): Promise<void> => {
    while (!logs.isWhole(key)) await new Promise((resolve) => logs.watch(key, () => resolve(null)));
  };
  const here = (stream: LogStream) => readFileSync(hostPaths(folder).log(key, stream), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-logs-'));
    files = new Files();
    discarded = [];
    told = [];
    logs = open();
    attach();
  });
  afterEach(async () => {
    await logs.close();
    rmSync(folder, { recursive: true, force: true });
    expect(told).toEqual([]);
  });

  it('asks for nothing of an attempt that ends soon and has written nothing', async () => {
    files.grow(key, 'stdout', '');
    files.grow(key, 'stderr', '');
    logs.started(key);
    logs.ended(key, []);
    expect(logs.isWhole(key)).toBe(true);
    logs.settled(key);
    await expect.poll(() => discarded).toEqual([key]);
    expect(files.asked).toEqual([]);
  });

  it('fetches only what an attempt has written to, and has the host keep it until then', async () => {
    files.grow(key, 'stdout', 'out\n');
    files.grow(key, 'stderr', '');
    logs.started(key);
    logs.ended(key, ['stdout']);
    expect(logs.isWhole(key)).toBe(false);
    logs.settled(key);
    await whole();
    expect(here('stdout')).toBe('out\n');
    await expect.poll(() => discarded).toEqual([key]);
    expect(files.asked).toEqual(['open', 'read', 'fstat', 'close'].map((what) => `${what} 0/${key}.out`));
  });

  it('lets the host forget what has arrived before its end is recorded, only after that', async () => {
    files.grow(key, 'stderr', 'err\n');
    logs.started(key);
    logs.ended(key, ['stderr']);
    await whole();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(discarded).toEqual([]);
    logs.settled(key);
    await expect.poll(() => discarded).toEqual([key]);
  });

  it('tells those who look on since before the start soon of what is written', async () => {
    let growths = 0;
    const stop = logs.watch(key, () => growths++);
    logs.started(key);
    for (let i = 1; i <= 3; i++) {
      // Long quiet, so that looks are as rare as they get.
      await new Promise((resolve) => setTimeout(resolve, 400));
      const since = performance.now();
      files.grow(key, i % 2 === 0 ? 'stderr' : 'stdout', 'more\n');
      await expect.poll(() => growths, { interval: 5 }).toBe(i);
      expect(performance.now() - since).toBeLessThan(150);
    }
    stop();
    expect(await logs.order(key)).toEqual([
      { stream: 'stdout', offset: 0, length: 5 },
      { stream: 'stderr', offset: 0, length: 5 },
      { stream: 'stdout', offset: 5, length: 5 },
    ]);
  });

  it('R30 goes on at the right byte after a lost connection, even for the next server', async () => {
    files.grow(key, 'stdout', 'before ');
    logs.started(key);
    await expect.poll(() => logs.size(key, 'stdout')).toBe('before '.length);
    logs.detach();
    files.grow(key, 'stdout', 'after');
    logs.ended(key, ['stdout']);
    expect(logs.isWhole(key)).toBe(false);
    await logs.close();

    logs = open();
    expect(logs.isWhole(key)).toBe(false);
    attach();
    logs.settled(key);
    await whole();
    expect(here('stdout')).toBe('before after');
  });

  it('keeps nothing of an attempt that is forgotten while it is fetched', async () => {
    files.grow(key, 'stdout', 'x'.repeat(100_000));
    logs.started(key);
    logs.ended(key, ['stdout']);
    await logs.forget([key]);
    expect(await logs.size(key, 'stdout')).toBe(0);
    expect(logs.isWhole(key)).toBe(true);
  });
});
