import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, presentSites, processesWith, type Start, until } from './bed.ts';

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const nothing = Buffer.alloc(0);
/** More than a pipe and a FIFO hold together. */
const many = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

describe.each(presentSites)('R36 what is typed into an attempt under %s', (_, site) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open({ ...site, sweepInterval: 100 });
  });
  afterAll(() => bed.dispose());

  async function started(order: Start): Promise<string> {
    const key = bed.start({ ...order, stdin: 'open' });
    await bed.reports.about('started', key);
    return key;
  }

  /** What an ended attempt has written, one character a byte. */
  async function output(key: string): Promise<string> {
    await bed.reports.exit(key);
    await bed.whole(key);
    return (await bed.host.logs.read(key, 'stdout', 0, 1e6)).toString('latin1');
  }

  function end(key: string, offset: number): Promise<boolean> {
    return bed.host.input(key, offset, nothing, true);
  }

  it('comes as it is, every byte and NUL among them, and then the end', async () => {
    const key = await started({ command: ['cat'] });
    expect(await bed.host.input(key, 0, everyByte, false)).toBe(true);
    expect(await bed.host.input(key, 256, everyByte, true)).toBe(false);
    expect(await output(key)).toBe(everyByte.toString('latin1').repeat(2));
    expect((await bed.reports.exit(key)).exitCode).toBe(0);
  });

  it('comes in pieces of any size', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 5 });
    const check = async (typed: Uint8Array[]) => {
      const key = await started({ command: ['cat'] });
      let offset = 0;
      for (const piece of typed) {
        expect(await bed.host.input(key, offset, Buffer.from(piece), false)).toBe(true);
        offset += piece.length;
      }
      await end(key, offset);
      expect(await output(key)).toBe(Buffer.concat(typed).toString('latin1'));
    };
    await fc.assert(fc.asyncProperty(pieces, check), { numRuns: 10 });
  });

  it('can be read line by line, as it is typed', async () => {
    const key = await started(
      bed.script('while read -r line; do echo "got $line" >>answers; done; echo over'),
    );
    const answers = join(bed.work, 'answers');
    const heard = (text: string) =>
      until(() => existsSync(answers) && readFileSync(answers, 'utf8') === text);
    await bed.host.input(key, 0, Buffer.from('one\n'), false);
    await heard('got one\n');
    await bed.host.input(key, 4, Buffer.from('t\\w o\nthr'), false);
    await heard('got one\ngot t\\w o\n');
    await bed.host.input(key, 13, Buffer.from('ee\n'), false);
    await heard('got one\ngot t\\w o\ngot three\n');
    await end(key, 16);
    expect(await output(key)).toBe('over\n');
  });

  it('can end before anything has been typed', async () => {
    const key = await started(bed.script('cat; echo over'));
    expect(await end(key, 0)).toBe(false);
    expect(await output(key)).toBe('over\n');
  });

  it('can be typed as soon as the start is reported', async () => {
    for (let i = 0; i < 20; i++) {
      const key = await started({ command: ['cat'] });
      expect(await bed.host.input(key, 0, Buffer.from('now'), false)).toBe(true);
      await end(key, 3);
      expect(await output(key)).toBe('now');
    }
  });

  it('is read by what the setup lines lead to', async () => {
    const key = await started({ command: ['cat'], setup: 'export A=1' });
    await bed.host.input(key, 0, Buffer.from('typed'), true);
    expect(await output(key)).toBe('typed');
  });

  it('waits for a command that does not read, and is let go of when that ends', async () => {
    const key = await started(bed.script('until [ -e enough ]; do sleep 0.02; done; head -c 5'));
    let taken: boolean | null = null;
    const typing = bed.host.input(key, 0, many, false).then((open) => (taken = open));
    // Short of the whole, that is as much as the pipe takes.
    await bed.run({ command: ['sleep', '0.2'] });
    expect(taken).toBeNull();
    writeFileSync(join(bed.work, 'enough'), '');
    expect(await typing).toBe(false);
    expect(await output(key)).toBe(many.subarray(0, 5).toString('latin1'));
  });

  it('is refused where the command has closed its stdin, and does not end the command', async () => {
    const key = await started(
      bed.script('exec <&-; : >closed; until [ -e go ]; do sleep 0.02; done; echo on'),
    );
    await until(() => existsSync(join(bed.work, 'closed')));
    expect(await bed.host.input(key, 0, Buffer.from('x'), false)).toBe(false);
    expect(await bed.host.input(key, 0, Buffer.from('x'), false)).toBe(false);
    writeFileSync(join(bed.work, 'go'), '');
    expect(await output(key)).toBe('on\n');
  });

  it('is refused where the command has ended, and where there is none or none that reads', async () => {
    const { key } = await bed.run({ command: ['true'], stdin: 'open' });
    expect(await bed.host.input(key, 0, Buffer.from('x'), true)).toBe(false);
    expect(await bed.host.input('999.1', 0, Buffer.from('x'), false)).toBe(false);
    const deaf = bed.start(bed.script('wc -c; until [ -e gone ]; do sleep 0.02; done'));
    await bed.reports.about('started', deaf);
    expect(await bed.host.input(deaf, 0, Buffer.from('x'), false)).toBe(false);
    writeFileSync(join(bed.work, 'gone'), '');
    expect((await output(deaf)).trim()).toBe('0');
  });

  it('is not twice there when it is typed twice, and refused beyond what has arrived', async () => {
    const key = await started({ command: ['cat'] });
    const once = bed.host.input(key, 0, Buffer.from('abcdef'), false);
    const again = bed.host.input(key, 0, Buffer.from('abcdefghi'), false);
    expect(await Promise.all([once, again])).toEqual([true, true]);
    await expect(bed.host.input(key, 50, Buffer.from('x'), false)).rejects.toThrow(
      'offset 50 is beyond the 9 bytes',
    );
    await end(key, 9);
    expect(await output(key)).toBe('abcdefghi');
  });

  it('goes on when a signal was sent to the whole group', async () => {
    const key = await started(
      bed.script(
        'trap : HUP INT QUIT TERM USR1; for s in HUP INT QUIT TERM USR1; do kill -$s 0; done; : >signalled; cat',
      ),
    );
    await until(() => existsSync(join(bed.work, 'signalled')));
    await bed.host.input(key, 0, Buffer.from('still here'), true);
    expect(await output(key)).toBe('still here');
  });

  it('R31 arrives once over a change of servers, whatever was under way', async () => {
    for (let round = 0; round < 3; round++) {
      const go = join(bed.work, `read${round}`);
      const key = await started(bed.script(`until [ -e read${round} ]; do sleep 0.02; done; cat`));
      // More than fits before the command reads, so the first server is gone with some of it under way.
      void bed.host.input(key, 0, many, false);
      await bed.run({ command: ['sleep', `0.${round}`] });
      await bed.replaceHost(() => {
        if (round === 1) writeFileSync(go, '');
      });
      bed.host.check(key);
      await bed.reports.about('started', key);
      const typing = bed.host.input(key, 0, many, true);
      writeFileSync(go, '');
      expect(await typing).toBe(false);
      expect((await output(key)) === many.toString('latin1')).toBe(true);
    }
  });

  it('R30 arrives once when the agent is killed meanwhile', async () => {
    const key = await started(bed.script('while read -r line; do echo "$line"; sleep 0.02; done'));
    const lines = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(1_000)}\n`).join('');
    const typing = bed.host.input(key, 0, Buffer.from(lines), true);
    for (let kill = 0; kill < 3; kill++) {
      const before = bed.reports.all.length;
      process.kill(bed.pidOf('agent'), 'SIGKILL');
      await bed.reports.until((report) => report.type === 'online' || undefined, before);
      bed.host.check(key);
    }
    expect(await typing).toBe(false);
    expect((await output(key)) === lines).toBe(true);
  });

  it('R26 keeps no stop from its end, and leaves nothing behind', async () => {
    const mark = `reader-${process.pid}-${Math.random()}`;
    const key = await started({ command: ['sh', '-c', ': >reading; cat', mark] });
    await until(() => existsSync(join(bed.work, 'reading')));
    const pid = bed.pidOf(key);
    const typing = bed.host.input(key, 0, Buffer.from('typed'), false);
    expect(await typing).toBe(true);
    const begun = performance.now();
    bed.host.stop(key, 30);
    expect(await bed.reports.exit(key)).toEqual({ exitCode: 143, signal: 'TERM', reason: null });
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(processesWith(mark)).toEqual([]);
    expect(groupOf(pid)).toEqual([]);
    for (const suffix of ['in', 'pipe']) expect(existsSync(bed.path(key, suffix))).toBe(false);
  });

  it('leaves nothing behind when the command ends by itself, or has been given its end', async () => {
    for (const command of [['true'], ['cat']]) {
      const key = await started({ command });
      const pid = bed.pidOf(key);
      await end(key, 0);
      await bed.reports.exit(key);
      await until(() => groupOf(pid).length === 0);
      for (const suffix of ['in', 'pipe']) expect(existsSync(bed.path(key, suffix))).toBe(false);
    }
  });

  it('R32 ends with the wrapper, so that what has lost it is found lost', async () => {
    const key = await started(bed.script(': >waits; cat; : >ended'));
    await until(() => existsSync(join(bed.work, 'waits')));
    process.kill(bed.pidOf(key), 'SIGKILL');
    await bed.reports.about('lost', key);
    expect(existsSync(join(bed.work, 'ended'))).toBe(true);
  });
});

/** Living members of a process group. */
function groupOf(group: number): number[] {
  return processesWith('').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state !== 'Z' && state !== 'X' && Number(pgrp) === group;
    } catch {
      return false;
    }
  });
}
