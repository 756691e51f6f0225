import { existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bed, presentSites, processesWith } from './bed.ts';

/** Resolves when the file is there. */
async function fileIsThere(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each(presentSites)('the life of attempts under %s', (_, site) => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await Bed.open({ ...site, sweepInterval: 100 });
  });
  afterEach(() => bed.dispose());

  describe('without the agent', () => {
    it('R30 goes on when the agent is killed, and is reported by the next', async () => {
      const key = bed.start(bed.script('until [ -e go ]; do sleep 0.02; done; echo done; exit 7'));
      await bed.reports.about('started', key);
      const before = bed.reports.all.length;
      const agent = bed.pidOf('agent');
      process.kill(agent, 'SIGKILL');
      await bed.reports.until((report) => report.type === 'offline' || undefined, before);
      await bed.reports.until((report) => report.type === 'online' || undefined, before);
      expect(bed.pidOf('agent')).not.toBe(agent);
      bed.host.check(key);
      await bed.reports.about('started', key, before);
      writeFileSync(join(bed.work, 'go'), '');
      expect(await bed.reports.exit(key)).toEqual({ exitCode: 7, signal: null, reason: null });
      expect(bed.text(key, 'out')).toBe('done\n');
    });

    it('leaves no cat behind when the agent is killed', async () => {
      const cats = () => processesWith('cat').filter((pid) => holds(pid, join(bed.home, 'fifo')));
      expect(cats()).toHaveLength(1);
      const before = bed.reports.all.length;
      process.kill(bed.pidOf('agent'), 'SIGKILL');
      await bed.reports.until((report) => report.type === 'online' || undefined, before);
      expect(cats()).toHaveLength(1);
    });

    it('R31 is adopted by the next server, running or ended meanwhile', async () => {
      const running = bed.start(bed.script('until [ -e go ]; do sleep 0.02; done'));
      const ending = bed.start(bed.script('until [ -e end ]; do sleep 0.02; done; exit 5'));
      await bed.reports.about('started', running);
      await bed.reports.about('started', ending);
      await bed.replaceHost(async () => {
        writeFileSync(join(bed.work, 'end'), '');
        await fileIsThere(bed.path(ending, 'exit'));
      });
      bed.host.check(running);
      bed.host.check(ending);
      bed.host.check('500.1');
      expect((await bed.reports.exit(ending)).exitCode).toBe(5);
      await bed.reports.about('started', running);
      await bed.reports.about('absent', '500.1');
      writeFileSync(join(bed.work, 'go'), '');
      expect((await bed.reports.exit(running)).exitCode).toBe(0);
    });

    it('ends with its server, and takes its cat along', async () => {
      const agent = bed.pidOf('agent');
      const fifo = join(bed.home, 'fifo');
      await bed.replaceHost(() => {
        expect(existsSync(`/proc/${agent}/fd`)).toBe(false);
        expect(processesWith('cat').filter((pid) => holds(pid, fifo))).toEqual([]);
      });
    });
  });

  describe('that come to nothing', () => {
    it('R32 is lost when it was killed while nobody looked', async () => {
      const key = bed.start({ command: ['sleep', '100'] });
      await bed.reports.about('started', key);
      await bed.replaceHost(() => {
        process.kill(-bed.pidOf(key), 'SIGKILL');
      });
      bed.host.check(key);
      await bed.reports.about('lost', key);
    });

    it('R32 is lost when its wrapper is killed with it', async () => {
      const key = bed.start({ command: ['sleep', '100'] });
      await bed.reports.about('started', key);
      process.kill(-bed.pidOf(key), 'SIGKILL');
      await bed.reports.about('lost', key);
    });

    it('is not lost while any process of its group lives', async () => {
      const key = bed.start(bed.script(': >ready; until [ -e go ]; do sleep 0.02; done; exit 3'));
      await fileIsThere(join(bed.work, 'ready'));
      process.kill(bed.pidOf(key), 'SIGKILL');
      const before = bed.reports.all.length;
      bed.host.check(key);
      await bed.reports.about('started', key, before);
      expect(bed.reports.count('lost', key)).toBe(0);
      writeFileSync(join(bed.work, 'go'), '');
      await bed.reports.about('lost', key);
    });

    it('is not taken for a process that has got its number', async () => {
      const { key } = await bed.run({ command: ['true'] });
      rmSync(bed.path(key, 'exit'));
      const run = readFileSync(bed.path(key, 'run'), 'latin1');
      // This process has the number now, and was born at another time.
      writeFileSync(bed.path(key, 'run'), run.replace(/^(\S+) \d+/, `$1 ${process.pid}`), 'latin1');
      bed.host.check(key);
      await bed.reports.about('lost', key);
      // It was here before the machine was booted.
      writeFileSync(bed.path(key, 'run'), `00000000-${ownIdentity()}\n`);
      const before = bed.reports.all.length;
      bed.host.check(key);
      await bed.reports.about('lost', key, before);
    });

    it('R32 is lost, and never starts, where its claim is torn', async () => {
      await bed.run({ command: ['true'] });
      writeFileSync(bed.path('77.1', 'run'), '');
      bed.host.check('77.1');
      await bed.reports.about('lost', '77.1');
      // A wrapper that has claimed, and comes late, finds itself ruled out.
      rmSync(bed.path('77.1', 'run'));
      bed.start({ ...bed.script('echo ran >>ran'), key: '77.1' });
      await bed.run({ command: ['sleep', '0.1'] });
      expect(existsSync(join(bed.work, 'ran'))).toBe(false);
      expect(bed.reports.count('started', '77.1')).toBe(0);
    });

    it('R32 absent is not for ever: the same start takes effect once', async () => {
      bed.host.check('78.1');
      await bed.reports.about('absent', '78.1');
      bed.start({ ...bed.script('echo ran >>ran'), key: '78.1' });
      bed.start({ ...bed.script('echo ran >>ran'), key: '78.1' });
      await bed.reports.exit('78.1');
      await bed.run({ command: ['sleep', '0.1'] });
      expect(readFileSync(join(bed.work, 'ran'), 'latin1')).toBe('ran\n');
    });
  });

  describe('that are stopped', () => {
    it('R26 ends the whole group with TERM, and says so when it is gone', async () => {
      const key = bed.start(bed.script('echo $$; sleep 1000 & sleep 1000; echo late'));
      await bed.reports.about('started', key);
      bed.host.stop(key, 10);
      const exit = await bed.reports.exit(key);
      expect(exit).toEqual({ exitCode: 143, signal: 'TERM', reason: null });
      expect(bed.reports.count('ended', key)).toBe(1);
      expect(groupOf(bed.pidOf(key))).toEqual([]);
      expect(existsSync(bed.path(key, 'stop'))).toBe(false);
    });

    it('R26 lets a command end in its own way within the grace', async () => {
      const key = bed.start(
        bed.script('trap "echo cleaned; exit 9" TERM; : >ready; while :; do sleep 0.02; done'),
      );
      await fileIsThere(join(bed.work, 'ready'));
      bed.host.stop(key, 10);
      expect((await bed.reports.exit(key)).exitCode).toBe(9);
      expect(bed.text(key, 'out')).toBe('cleaned\n');
    });

    it('R26 kills what ignores TERM after the grace', async () => {
      const key = bed.start(bed.script('trap "" TERM; : >ready; (sleep 1000); sleep 1000'));
      await fileIsThere(join(bed.work, 'ready'));
      const begun = performance.now();
      bed.host.stop(key, 0.3);
      expect(await bed.reports.exit(key)).toEqual({ exitCode: 137, signal: 'KILL', reason: null });
      expect(performance.now() - begun).toBeGreaterThan(300);
      expect(groupOf(bed.pidOf(key))).toEqual([]);
    });

    it('R26 reports the end only when nothing is left of the group', async () => {
      const key = bed.start(bed.script('(trap "" TERM; : >ready; while :; do sleep 0.02; done) & wait'));
      await fileIsThere(join(bed.work, 'ready'));
      const group = bed.pidOf(key);
      bed.host.stop(key, 0.3);
      await bed.reports.exit(key);
      expect(groupOf(group)).toEqual([]);
      expect(bed.reports.count('ended', key)).toBe(1);
    });

    it('R26 finds what has left the group', async () => {
      const mark = `stray-${process.pid}-${Math.random()}`;
      const stray = `trap "" TERM; exec </dev/null >/dev/null 2>&1; : >"$0"; while :; do sleep 0.02; done`;
      const key = bed.start({
        command: ['sh', '-c', `setsid sh -c '${stray}' "$0" & wait; exit 0`, mark],
      });
      await fileIsThere(join(bed.work, mark));
      expect(processesWith(mark).length).toBeGreaterThan(0);
      bed.host.stop(key, 0.2);
      await bed.reports.exit(key);
      expect(processesWith(mark)).toEqual([]);
    });

    it("touches no other attempt's processes", async () => {
      const keys = [
        bed.start({ command: ['sleep', '1000'] }),
        bed.start({ command: ['sleep', '1000'] }),
      ] as const;
      const long = bed.start({ ...bed.script('sleep 1000'), key: `${keys[0]}0` });
      for (const key of [...keys, long]) await bed.reports.about('started', key);
      bed.host.stop(keys[0], 0);
      await bed.reports.exit(keys[0]);
      for (const key of [keys[1], long]) {
        const before = bed.reports.all.length;
        bed.host.check(key);
        await bed.reports.about('started', key, before);
      }
    });

    it('never starts what was stopped before its start', async () => {
      bed.host.stop('600.1', 0);
      expect(await bed.reports.exit('600.1')).toEqual({
        exitCode: 125,
        signal: null,
        reason: 'stopped before it started',
      });
      bed.start({ ...bed.script('echo ran >ran'), key: '600.1' });
      await bed.run({ command: ['sleep', '0.1'] });
      expect(existsSync(join(bed.work, 'ran'))).toBe(false);
      expect(bed.reports.count('started', '600.1')).toBe(0);
    });

    it('tells the end of what had ended already', async () => {
      const { key } = await bed.run(bed.script('exit 3'));
      const before = bed.reports.all.length;
      bed.host.stop(key, 0);
      expect((await bed.reports.exit(key, before)).exitCode).toBe(3);
    });

    it('takes a stop up again that a server has left unfinished', async () => {
      const key = bed.start(bed.script('trap "" TERM; : >ready; while :; do sleep 0.02; done'));
      await fileIsThere(join(bed.work, 'ready'));
      writeFileSync(bed.path(key, 'stop'), `00000000-${ownIdentity()}100\n`);
      await bed.replaceHost();
      bed.host.check(key);
      expect((await bed.reports.exit(key)).exitCode).toBe(137);
      expect(groupOf(bed.pidOf(key))).toEqual([]);
    });

    it('ends what is stopped by SIGSTOP', async () => {
      const key = bed.start({ command: ['sleep', '1000'] });
      await bed.reports.about('started', key);
      process.kill(-bed.pidOf(key), 'SIGSTOP');
      bed.host.stop(key, 10);
      expect(await bed.reports.exit(key)).toEqual({ exitCode: 143, signal: 'TERM', reason: null });
    });
  });

  it('R32 runs each attempt once, however often the agent is killed meanwhile', async () => {
    const keys = Array.from({ length: 80 }, () => bed.nextKey());
    const start = (key: string) => bed.start({ ...bed.script(`echo ${key} >>ran`), key });
    const ended = new Set<string>();
    const { ended: reportEnded, absent, online } = bed.reports;
    const lost = new Promise<never>((_, reject) => {
      bed.reports.lost = (key) => reject(new Error(`${key} is lost: ${bed.text(key, 'run')}`));
    });
    // What the engine does: starts again what is absent, checks everything once the host is back.
    bed.reports.ended = (key, exit) => {
      ended.add(key);
      reportEnded.call(bed.reports, key, exit);
    };
    bed.reports.absent = (key) => {
      absent.call(bed.reports, key);
      start(key);
    };
    bed.reports.online = (facts) => {
      online.call(bed.reports, facts);
      for (const key of keys) if (!ended.has(key)) bed.host.check(key);
    };
    for (const key of keys) start(key);
    for (let kill = 0; kill < 3; kill++) {
      const before = bed.reports.all.length;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
      process.kill(bed.pidOf('agent'), 'SIGKILL');
      await bed.reports.until((report) => report.type === 'online' || undefined, before);
    }
    await Promise.race([lost, Promise.all(keys.map((key) => bed.reports.exit(key)))]);
    const ran = readFileSync(join(bed.work, 'ran'), 'latin1').trim().split('\n');
    expect(ran.sort()).toEqual([...keys].sort());
  });

  it('works where there is no procfs', async () => {
    const other = await Bed.open({ ...site, proc: '/nonexistent', sweepInterval: 100 });
    try {
      expect((await other.run(other.script('exit 3'))).exit.exitCode).toBe(3);
      const key = other.start(other.script('sleep 1000 & sleep 1000'));
      const killed = other.start({ command: ['sleep', '1000'] });
      await other.reports.about('started', key);
      await other.reports.about('started', killed);
      await other.replaceHost();
      other.host.check(key);
      await other.reports.about('started', key);
      process.kill(-other.pidOf(killed), 'SIGKILL');
      other.host.check(killed);
      await other.reports.about('lost', killed);
      other.host.stop(key, 1);
      expect((await other.reports.exit(key)).signal).toBe('TERM');
      expect(groupOf(other.pidOf(key))).toEqual([]);
    } finally {
      await other.dispose();
    }
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

function ownIdentity(): string {
  return `x ${readFileSync('/proc/self/stat', 'latin1')}`;
}

function holds(pid: number, path: string): boolean {
  return [0, 1, 2, 3].some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === path;
    } catch {
      return false;
    }
  });
}
