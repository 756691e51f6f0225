import { describe, expect, it } from 'vitest';
import {
  LogSession,
  type LogSource,
  largest,
  largestCompared,
  partSize,
} from '../../../../extension/logs/session.ts';
import { VbatchError } from '../../../../server/protocol/errors.ts';
import type { LogChunk } from '../../../../server/protocol/logs.ts';

type Stream = LogChunk['stream'];

/** A log that a test writes. */
class FakeLog implements LogSource {
  over = false;
  failure: Error | null = null;
  /** Bytes that were read, and how often a follower was let in. */
  bytes = 0;
  follows = 0;
  private readonly all: { stream: Stream; data: Buffer }[] = [];
  private wakes = new Set<() => void>();

  write(stream: Stream, text: string): void {
    this.all.push({ stream, data: Buffer.from(text) });
    this.stir();
  }

  end(): void {
    this.over = true;
    this.stir();
  }

  async place(position?: number) {
    if (this.failure) throw this.failure;
    const size = this.lengths(Number.POSITIVE_INFINITY);
    const total = size.stdout + size.stderr;
    const wanted = position === undefined ? total : position < 0 ? total + position : position;
    const at = Math.max(0, Math.min(total, wanted));
    return { attempt: 1, over: this.over, whole: true, size, position: at, before: this.lengths(at) };
  }

  async *read(before: Record<Stream, number>, length: number): AsyncGenerator<LogChunk> {
    let left = length;
    for (const chunk of this.from(before)) {
      const data = chunk.data.subarray(0, left);
      left -= data.length;
      this.bytes += data.length;
      if (data.length > 0) yield { ...chunk, data };
    }
  }

  async *follow(before: Record<Stream, number>, signal: AbortSignal): AsyncGenerator<LogChunk> {
    this.follows += 1;
    const told = { ...before };
    while (!signal.aborted) {
      for (const chunk of this.from(told)) {
        told[chunk.stream] += chunk.data.length;
        this.bytes += chunk.data.length;
        yield chunk;
      }
      if (this.over) return;
      await new Promise<void>((resolve) => {
        this.wakes.add(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
  }

  private stir(): void {
    for (const wake of this.wakes) wake();
    this.wakes.clear();
  }

  private lengths(upTo: number): Record<Stream, number> {
    const sum = { stdout: 0, stderr: 0 };
    let left = upTo;
    for (const { stream, data } of this.all) {
      sum[stream] += Math.min(left, data.length);
      left -= Math.min(left, data.length);
    }
    return sum;
  }

  private from(before: Record<Stream, number>): LogChunk[] {
    const skip = { ...before };
    return this.all.flatMap(({ stream, data }) => {
      const rest = data.subarray(skip[stream]);
      skip[stream] -= data.length - rest.length;
      return rest.length === 0 ? [] : [{ stream, data: rest }];
    });
  }
}

/** Text of exactly `length` bytes, in numbered lines of 100. */
function numbered(from: number, length: number): string {
  let text = '';
  for (let i = from; text.length < length; i++) text += `${String(i).padEnd(99, '.')}\n`;
  return text.slice(0, length);
}

function opened() {
  const log = new FakeLog();
  let changes = 0;
  const changed = () => {
    changes += 1;
  };
  const session = new LogSession(log, changed, () => new Promise<void>(setImmediate));
  return { log, session, changes: () => changes };
}

describe('a window on a log', () => {
  it('shows all of a small one, and grows with it until it is over', async () => {
    const { log, session } = opened();
    log.write('stdout', 'one\n');
    await session.showEnd();
    expect(session.lines.text()).toBe('one\n');
    log.write('stderr', 'two\n');
    await expect.poll(() => session.lines.text()).toBe('one\ntwo\n');
    log.write('stdout', 'three');
    log.end();
    await expect.poll(() => session.over).toBe(true);
    expect(session.lines.text()).toBe('one\ntwo\nthree');
    expect([session.begin, session.end, session.size]).toEqual([0, 13, 13]);
  });

  it('of a huge one is a part at its end, and no more than that is read', async () => {
    const { log, session } = opened();
    for (let i = 0; i < 40; i++) log.write('stdout', numbered(i * 1_000, 100_000));
    log.end();
    await session.showEnd();
    expect(session.begin).toBeGreaterThan(4_000_000 - partSize - 1);
    expect(session.lines.lines.at(-1)?.text).toMatch(/^39999\./);
    // A line that has begun before is left out.
    expect(session.lines.lines[0]?.text).toHaveLength(99);
    expect(log.bytes).toBeLessThanOrEqual(partSize);
  });

  it('goes to any place, earlier and later, and grows again at the end', async () => {
    const { log, session } = opened();
    for (let i = 0; i < 40; i++) log.write('stdout', numbered(i * 1_000, 100_000));
    await session.showEnd();
    await session.showAround(2_000_000);
    expect(session.growing).toBe(false);
    const line = session.lineAt(2_000_000, 'stdout');
    expect(session.lines.lines[line ?? 0]?.text).toMatch(/^20000\./);
    expect(session.lineAt(0, 'stdout')).toBe(null);
    const { begin } = session;
    await session.showEarlier();
    expect(session.begin).toBeLessThan(begin);
    expect(session.end).toBeGreaterThan(begin);
    for (let i = 0; i < 20 && !session.growing; i++) await session.showLater();
    expect(session.growing).toBe(true);
    session.setFollowing(true);
    log.write('stdout', 'the end\n');
    await expect.poll(() => session.lines.lines.at(-1)?.text).toBe('the end');
    session.close();
  });

  it('that grows loses lines at its top', async () => {
    const { log, session } = opened();
    await session.showEnd();
    for (let i = 0; i < 8; i++) {
      log.write('stdout', numbered(i * 1_000, 100_000));
      await expect.poll(() => session.end).toBe((i + 1) * 100_000);
    }
    expect(session.lines.length).toBeLessThanOrEqual(largest);
    expect(session.begin).toBe(session.lines.lines[0]?.position);
    expect(session.begin).toBeGreaterThan(0);
    session.close();
  });

  it('skips what is written faster than it is read', async () => {
    const { log, session } = opened();
    await session.showEnd();
    for (let i = 0; i < 40; i++) log.write('stdout', numbered(i * 1_000, 100_000));
    await expect.poll(() => session.end).toBe(4_000_000);
    expect(log.bytes).toBeLessThan(2_000_000);
    expect(session.lines.lines.at(-1)?.text).toMatch(/^39999\./);
    session.close();
  });

  it('whose end nobody looks at stands still once it is large, and catches up', async () => {
    const { log, session } = opened();
    await session.showEnd();
    session.setFollowing(false);
    log.write('stdout', numbered(0, 50_000));
    await expect.poll(() => session.end).toBe(50_000);
    log.write('stdout', numbered(500, 50_000));
    log.write('stdout', numbered(1_000, 50_000));
    await session.showAround(0);
    expect([session.following, session.growing, session.held]).toEqual([false, true, false]);
    expect(session.lines.length).toBeGreaterThan(largestCompared);
    log.write('stdout', 'more\n');
    await expect.poll(() => session.held).toBe(true);
    expect(session.end).toBe(150_000);
    session.setFollowing(true);
    expect(session.held).toBe(false);
    await expect.poll(() => session.end).toBe(150_005);
    session.close();
  });

  it('asks for no more than there is: the rest may be on a host that is out of reach', async () => {
    const { log, session } = opened();
    log.write('stdout', 'one\n');
    const asked: number[] = [];
    const read = log.read.bind(log);
    log.read = (before, length) => {
      asked.push(length);
      return read(before, length);
    };
    await session.showEnd();
    await session.showAround(0);
    expect(asked).toEqual([4, 4]);
    expect(session.lines.text()).toBe('one\n');
    session.close();
  });

  it('tries again to show the place that was asked for', async () => {
    const { log, session } = opened();
    for (let i = 0; i < 20; i++) log.write('stdout', numbered(i * 1_000, 100_000));
    log.failure = new VbatchError('noServer', 'no server runs');
    await session.showAround(500_000);
    log.failure = null;
    await session.retry();
    expect(session.lines.lines[session.lineAt(500_000, 'stdout') ?? 0]?.text).toMatch(/^5000\./);
    session.close();
  });

  it('says why the log cannot be read, and tries again', async () => {
    const { log, session } = opened();
    log.failure = new VbatchError('unreachable', 'the rest is still on big, which is out of reach');
    await session.showEnd();
    expect(session.failure).toContain('out of reach');
    log.failure = null;
    log.write('stdout', 'x');
    await session.retry();
    expect([session.failure, session.lines.text()]).toEqual([null, 'x']);
    session.close();
  });

  it('tells of nothing once it is closed', async () => {
    const { log, session, changes } = opened();
    await session.showEnd();
    session.close();
    const before = changes();
    log.write('stdout', 'x');
    await new Promise(setImmediate);
    expect(changes()).toBe(before);
  });
});
