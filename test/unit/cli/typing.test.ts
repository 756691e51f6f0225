import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Typing, type TypingOptions } from '../../../cli/typing.ts';
import type { StdinRequest, StdinResponse } from '../../../server/protocol/tasks.ts';
import { fakeIo } from './fixture.ts';

/** A server that answers when the test says so. */
class FakeServer {
  /** What it was asked, as `ATTEMPT OFFSET TEXT`, with `end` where nothing follows. */
  readonly asked: string[] = [];
  private readonly answers: ((response: StdinResponse | Error) => void)[] = [];

  type(_id: string, { attempt, offset, data, end }: StdinRequest, signal?: AbortSignal) {
    const text = JSON.stringify(Buffer.from(data, 'base64').toString());
    this.asked.push(`${attempt} ${offset} ${text}${end === true ? ' end' : ''}`);
    return new Promise<StdinResponse>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      this.answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  }

  /** Answers the first request that waits for it, and lets happen what follows. */
  async answer(response: StdinResponse | Error): Promise<void> {
    this.answers.shift()?.(response);
    await turn();
  }
}

/** A typing that begins in the foreground, with what surrounds it. */
function begin(rest: Partial<TypingOptions> = {}) {
  const io = fakeIo({ terminal: true });
  const server = new FakeServer();
  const over = new AbortController();
  const typing = new Typing({
    id: 'cat-1',
    client: server,
    io,
    mayRead: () => true,
    over: over.signal,
    ...rest,
  });
  const press = async (keys: string) => {
    io.keyboard.press(keys);
    await turn();
  };
  const endOfFile = async () => {
    io.keyboard.emit('end');
    await turn();
  };
  const reads = () => io.keyboard.listenerCount('data') > 0;
  return { io, server, over, typing, press, endOfFile, reads };
}

/** As `begin`, where the first attempt is known to run and a first line has been taken. */
async function underWay() {
  const made = begin();
  await made.press('one\n');
  await made.server.answer({ attempt: 1, open: true });
  await made.server.answer({ attempt: 1, open: true });
  made.server.asked.length = 0;
  return made;
}

describe('R36 what is typed', () => {
  it('goes to the attempt that runs, once that is known', async () => {
    const { server, press } = begin();
    await press('one\n');
    expect(server.asked).toEqual(['null 0 ""']);
    await server.answer({ attempt: 3, open: true });
    expect(server.asked.slice(1)).toEqual(['3 0 "one\\n"']);
  });

  it('while a request is under way goes with the next', async () => {
    const { server, press } = await underWay();
    await press('two\n');
    await press('three\n');
    await press('four\n');
    expect(server.asked).toEqual(['1 4 "two\\n"']);
    await server.answer({ attempt: 1, open: true });
    await server.answer({ attempt: 1, open: true });
    expect(server.asked.slice(1)).toEqual(['1 8 "three\\nfour\\n"']);
    await press('five\n');
    expect(server.asked.slice(2)).toEqual(['1 19 "five\\n"']);
  });

  it('goes in requests of a size that the server takes', async () => {
    const { server, press } = await underWay();
    await press('x'.repeat(70_000));
    for (let i = 0; i < 3; i++) await server.answer({ attempt: 1, open: true });
    const sizes = server.asked.map((asked) => {
      const [attempt, offset, text = ''] = asked.split(' ');
      return [attempt, offset, JSON.parse(text).length];
    });
    expect(sizes).toEqual([
      ['1', '4', 32_768],
      ['1', '32772', 32_768],
      ['1', '65540', 4_464],
    ]);
  });

  it('goes to the next attempt where the last has not taken it', async () => {
    const { server, press } = await underWay();
    await press('two\n');
    await press('three\n');
    await server.answer({ attempt: 2, open: true });
    expect(server.asked.slice(1)).toEqual(['2 0 "two\\nthree\\n"']);
  });

  it('is read no more once no attempt will take any', async () => {
    const { server, press, reads } = await underWay();
    await press('two\n');
    expect(reads()).toBe(true);
    await server.answer({ attempt: 1, open: false });
    expect(reads()).toBe(false);
    expect(server.asked).toHaveLength(1);
  });

  it('is read no more where the server refuses it, or knows the task no more', async () => {
    const { server, press, reads } = await underWay();
    await press('two\n');
    await server.answer(new Error('no such task'));
    expect(reads()).toBe(false);
  });

  it('is not read when the wait is over', async () => {
    const { io, server, over, press, reads } = await underWay();
    await press('two\n');
    over.abort();
    await turn();
    expect(reads()).toBe(false);
    expect(server.asked).toHaveLength(1);
    expect(io.signals.eventNames()).toEqual([]);
  });
});

describe('R36 Ctrl-D', () => {
  it('is the end after all that was typed', async () => {
    const { server, press, endOfFile, reads } = await underWay();
    await press('two\n');
    await press('three');
    await endOfFile();
    expect(reads()).toBe(false);
    await server.answer({ attempt: 1, open: true });
    expect(server.asked).toEqual(['1 4 "two\\n"', '1 8 "three" end']);
    await server.answer({ attempt: 1, open: false });
    expect(server.asked).toHaveLength(2);
  });

  it('is told where nothing was typed', async () => {
    const { server, endOfFile } = begin();
    await endOfFile();
    expect(server.asked).toEqual(['null 0 "" end']);
    const later = await underWay();
    await later.endOfFile();
    expect(later.server.asked).toEqual(['1 4 "" end']);
  });

  it('is told to the next attempt where the last had begun to take what came before', async () => {
    const { server, press, endOfFile } = await underWay();
    await press('two\n');
    await endOfFile();
    await server.answer({ attempt: 2, open: true });
    expect(server.asked.slice(1)).toEqual(['2 0 "two\\n" end']);
  });

  it('stands for the failure of a terminal that is gone', async () => {
    const { io, server } = await underWay();
    io.keyboard.emit('error', new Error('read EIO'));
    await turn();
    expect(server.asked).toEqual(['1 4 "" end']);
  });
});

describe('R36 the terminal', () => {
  it('is left to whoever asks a question', async () => {
    const { io, server, typing, press, reads } = await underWay();
    typing.suspend();
    expect(reads()).toBe(false);
    await press('d');
    io.signals.emit('SIGCONT');
    expect(reads()).toBe(false);
    typing.resume();
    await press('two\n');
    expect(server.asked).toEqual(['1 4 "two\\n"']);
  });

  it('is not read in the background, and again in the foreground', async () => {
    let foreground = true;
    let looks = 0;
    const mayRead = () => {
      looks += 1;
      return foreground;
    };
    const { io, over, reads } = begin({ mayRead, lookInterval: 1 });
    expect(reads()).toBe(true);
    foreground = false;
    io.signals.emit('SIGCONT');
    expect(reads()).toBe(false);
    await expect.poll(() => looks).toBeGreaterThan(4);
    expect(reads()).toBe(false);
    foreground = true;
    await expect.poll(reads).toBe(true);
    over.abort();
    expect(reads()).toBe(false);
  });
});

describe('R36 whoever leaves', () => {
  it('ends the stdin, with what was typed last', async () => {
    const { server, typing, reads } = await underWay();
    const left = typing.leave();
    expect(reads()).toBe(false);
    expect(server.asked).toEqual(['1 4 "" end']);
    await server.answer({ attempt: 1, open: false });
    await left;
  });

  it('does not wait for what was under way', async () => {
    const { server, typing, press } = await underWay();
    await press('two\n');
    await press('three\n');
    const left = typing.leave();
    expect(server.asked).toEqual(['1 4 "two\\n"', '1 4 "two\\nthree\\n" end']);
    await server.answer({ attempt: 1, open: true });
    await server.answer({ attempt: 1, open: false });
    await left;
  });

  it('ends that of a task that does not run yet', async () => {
    const { server, typing } = begin();
    void typing.leave();
    expect(server.asked).toEqual(['null 0 "" end']);
  });

  it('does not wait long for the server, nor fail with it', async () => {
    const { server, typing } = await underWay();
    const begun = performance.now();
    await typing.leave();
    expect(performance.now() - begun).toBeLessThan(5_000);
    const failing = await underWay();
    const left = failing.typing.leave();
    await failing.server.answer(new Error('gone'));
    await left;
    expect(server.asked).toHaveLength(1);
  });

  it('says nothing where the task has ended or takes no more', async () => {
    const ended = await underWay();
    ended.over.abort();
    await ended.typing.leave();
    expect(ended.server.asked).toEqual([]);
    const closed = await underWay();
    await closed.press('two\n');
    await closed.server.answer({ attempt: 1, open: false });
    await closed.typing.leave();
    expect(closed.server.asked).toHaveLength(1);
  });
});
