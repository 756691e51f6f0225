import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallAnswer } from '../../../server/hosts/host.ts';
import { decodeBytes, encodeBytes } from '../../../server/protocol/bytes.ts';
import { Bed, presentSites, until } from './bed.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map(decodeBytes);
const text = fc.uint8Array({ min: 1, maxLength: 40 }).map(decodeBytes);
const everyByte = decodeBytes(Uint8Array.from({ length: 255 }, (_, i) => i + 1));

describe.each(presentSites)('a nested call under %s', (_, site) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open(site);
    // The shim's first line names sh; here it is run by each shell in turn.
    for (const program of ['vbatch', 'vrun']) {
      const path = join(bed.shims, program);
      const body = readFileSync(path, 'latin1').replace(
        '#!/bin/sh',
        `#!/usr/bin/env -S ${site.shell.join(' ')}`,
      );
      writeFileSync(path, body, 'latin1');
    }
  });
  afterAll(() => bed.dispose());

  /** Runs a script that makes one call, and answers it. */
  async function called(script: string, answer: Partial<CallAnswer> = {}) {
    const key = bed.start(bed.script(script));
    const call = await bed.reports.callOf(key);
    bed.host.answer(call.key, { exitCode: 0, stdout: '', stderr: '', ...answer });
    const exit = await bed.reports.exit(key);
    return { key, call, exit, stdout: bed.text(key, 'out'), stderr: bed.text(key, 'err') };
  }

  it('tells what was called, with which arguments, from where', async () => {
    mkdirSync(join(bed.work, "it's here"), { recursive: true });
    const { key, call } = await called(`cd "it's here" && vbatch -P gpu-1 -- python "a b" ''`);
    expect(call).toMatchObject({
      attempt: key,
      program: 'vbatch',
      args: ['-P', 'gpu-1', '--', 'python', 'a b', ''],
      directory: join(bed.work, "it's here"),
    });
    expect(call.key).toMatch(new RegExp(`^${key.replace('.', '\\.')}/`));
  });

  it('prints the answer and exits with its code', async () => {
    const answer = { exitCode: 42, stdout: 'an id\n', stderr: 'a \\0101 warning\n\n' };
    const { exit, stdout, stderr } = await called('vbatch x', answer);
    expect([exit.exitCode, stdout, stderr]).toEqual([42, answer.stdout, answer.stderr]);
  });

  it('passes arguments of every byte but NUL', async () => {
    const check = async (args: string[]) => {
      const key = bed.start({ command: ['vbatch', ...args] });
      const call = await bed.reports.callOf(key);
      bed.answer(call.key);
      await bed.reports.exit(key);
      expect(call.args).toEqual(args);
    };
    await check([everyByte, '', '-', '--', '-n', '\n', "'", '"', '\\', '$x', '%s\\0']);
    await check([]);
    await fc.assert(fc.asyncProperty(fc.array(text, { maxLength: 4 }), check), { numRuns: 15 });
  });

  it('passes a megabyte of arguments', async () => {
    const args = Array.from({ length: 10 }, (_, i) => String(i).repeat(100_000));
    const key = bed.start({ command: ['vbatch', ...args] });
    const call = await bed.reports.callOf(key);
    bed.answer(call.key);
    expect((await bed.reports.exit(key)).exitCode).toBe(0);
    expect(call.args.join() === args.join()).toBe(true);
  });

  it('prints any answer, however long', async () => {
    const check = async (stdout: string, stderr: string) => {
      const done = await called('vbatch', { stdout, stderr });
      expect(Buffer.from(done.stdout, 'latin1')).toEqual(encodeBytes(stdout));
      expect(Buffer.from(done.stderr, 'latin1')).toEqual(encodeBytes(stderr));
    };
    await check(everyByte, '');
    await check('', 'é\n'.repeat(20_000));
    await fc.assert(fc.asyncProperty(bytes, bytes, check), { numRuns: 10 });
  });

  it('R34 tells what has changed in the environment since the attempt started, and only that', async () => {
    const key = bed.start({
      ...bed.script(
        'export NEW="$VALUE" CHANGED="two\nlines" EMPTY=; unset GONE; export CUDA_VISIBLE_DEVICES=3 VBATCH_X=1 VELDA_Y=2; cd /; PATH=/x:$PATH; vbatch',
      ),
      environment: { set: { VALUE: everyByte, CHANGED: 'one', GONE: 'here', KEPT: everyByte }, unset: [] },
      variables: { VBATCH_TASK_ID: 'x' },
    });
    const { environment, key: callKey } = await bed.reports.callOf(key);
    bed.answer(callKey);
    await bed.reports.exit(key);
    const { PATH, ...set } = environment.set;
    expect(set).toEqual({ NEW: everyByte, CHANGED: 'two\nlines', EMPTY: '' });
    expect(environment.unset).toEqual(['GONE']);
    expect(PATH).toMatch(/^\/x:/);
  });

  it('R34 takes variables apart from any value', async () => {
    const check = async (value: string) => {
      const key = bed.start({ command: ['env', `V=${value}`, 'vbatch'] });
      const call = await bed.reports.callOf(key);
      bed.answer(call.key);
      await bed.reports.exit(key);
      expect(call.environment).toEqual({ set: { V: value }, unset: [] });
    };
    for (const value of [everyByte, "'", '\n', '\\', "'\nexport X='1", '\\n']) await check(value);
    await fc.assert(fc.asyncProperty(text, check), { numRuns: 15 });
  });

  it('sees no change where setup lines made the environment', async () => {
    const key = bed.start({ ...bed.script('vbatch'), setup: 'export A=1; unset LANG' });
    const call = await bed.reports.callOf(key);
    bed.answer(call.key);
    await bed.reports.exit(key);
    expect(call.environment).toEqual({ set: {}, unset: [] });
  });

  it('works a hundred times at once, each under its own key', async () => {
    bed.answerAll((call) => `${call.args[1]} ${call.key}\n`);
    const { exit, stdout, stderr } = await bed.run(
      bed.script('seq 100 | xargs -P 100 -I {} vbatch --name {} true'),
    );
    bed.reports.onCall = () => {};
    expect([exit.exitCode, stderr]).toEqual([0, '']);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => Number(line.split(' ')[0])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(new Set(lines.map((line) => line.split(' ')[1])).size).toBe(100);
  });

  it('leaves of an answered call only its name', async () => {
    bed.answerAll();
    const { key } = await bed.run(bed.script('vbatch; vrun; vbatch -f'));
    bed.reports.onCall = () => {};
    const folder = join(bed.home, 'calls', key);
    await until(() => readdirSync(folder).length === 3);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).size).toBe(0);
    // A second answer is harmless, and so is one to a call that never was.
    bed.answer((await bed.reports.callOf(key)).key, 'again');
    bed.answer(`${key}/1-999`, 'nobody');
    await bed.host.forget([key]);
    await until(() => !existsSync(folder));
  });

  it('does nothing where the shim was killed', async () => {
    const key = bed.start(bed.script('vbatch a & sleep 0.2; kill -9 $!; vrun b & wait $!'));
    const first = await bed.reports.callOf(key, 0);
    const second = await bed.reports.callOf(key, 1);
    bed.answer(first.key, 'late\n');
    bed.answer(second.key, 'in time\n', 3);
    expect((await bed.reports.exit(key)).exitCode).toBe(3);
    expect(bed.text(key, 'out')).toBe('in time\n');
  });

  it('says so where it is not inside a task', async () => {
    const run = (env: NodeJS.ProcessEnv) =>
      new Promise<[number | null, string]>((resolve) => {
        const child = spawn(join(bed.shims, 'vbatch'), ['x'], {
          env: { PATH: process.env.PATH, ...env },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let stderr = '';
        child.stderr.on('data', (data) => {
          stderr += data;
        });
        child.on('close', (code) => resolve([code, stderr]));
      });
    for (const env of [{}, { VBATCH_AGENT: '/none', VBATCH_ATTEMPT_KEY: '1.1@x' }]) {
      const [code, stderr] = await run(env);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^vbatch: .* in none: .*\n$/);
    }
  });

  describe('of vrun', () => {
    const binary = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

    it('R3 gets both streams byte for byte, then its exit code', async () => {
      const key = bed.start(bed.script('vrun make; echo "code $?" >&2'));
      const call = await bed.reports.callOf(key);
      expect(call.program).toBe('vrun');
      await Promise.all([
        bed.host.feed(call.key, 'stdout', Readable.from([binary, binary])),
        bed.host.feed(call.key, 'stderr', Readable.from([Buffer.from('warn\n')])),
      ]);
      bed.answer(call.key, '', 128 + 15);
      await bed.reports.exit(key);
      expect(bed.text(key, 'out') === Buffer.concat([binary, binary]).toString('latin1')).toBe(true);
      expect(bed.text(key, 'err')).toBe('warn\ncode 143\n');
    });

    it('waits for a slow reader', async () => {
      const key = bed.start(bed.script('vrun | (sleep 0.3; wc -c)'));
      const call = await bed.reports.callOf(key);
      await bed.host.feed(call.key, 'stdout', Readable.from([binary, binary]));
      bed.answer(call.key);
      await bed.reports.exit(key);
      expect(Number(bed.text(key, 'out'))).toBe(600_000);
    });

    it('lets go of the source where nobody reads', async () => {
      const key = bed.start(bed.script('vrun | head -c 5'));
      const call = await bed.reports.callOf(key);
      const endless = Readable.from(
        (function* () {
          for (;;) yield binary;
        })(),
      );
      await bed.host.feed(call.key, 'stdout', endless);
      expect(endless.destroyed).toBe(true);
      bed.answer(call.key, '', 0);
      await bed.reports.exit(key);
      expect(bed.text(key, 'out')).toBe(binary.subarray(0, 5).toString('latin1'));
    });

    it('lets go of the source where the shim was killed', async () => {
      const key = bed.start(bed.script('vrun & sleep 0.05; kill -9 0'));
      const call = await bed.reports.callOf(key);
      await until(() => !existsSync(`/proc/${call.key.split('/')[1]?.split('-')[0]}/fd/3`));
      const source = Readable.from([binary]);
      await bed.host.feed(call.key, 'stdout', source);
      expect(source.destroyed).toBe(true);
    });

    it('ends without streams where it is refused', async () => {
      const { exit, stderr } = await called('vrun --nonsense', { exitCode: 2, stderr: 'no such flag\n' });
      expect([exit.exitCode, stderr]).toEqual([2, 'no such flag\n']);
    });

    it('R31 goes on where the server that served it left off', async () => {
      const key = bed.start(bed.script('vrun; echo "code $?" >&2'));
      const call = await bed.reports.callOf(key);
      // The first server hands over a part, and is gone.
      const first = new Readable({ read() {} });
      const feeding = bed.host.feed(call.key, 'stdout', first);
      first.push(binary.subarray(0, 123_456));
      await until(() => bed.text(key, 'out').length === 123_456);
      first.destroy();
      await feeding;
      await bed.replaceHost();
      const again = await bed.reports.callOf(key);
      expect(again).toEqual({ ...call, gone: expect.any(AbortSignal) });
      await bed.host.feed(again.key, 'stdout', Readable.from([binary]));
      bed.answer(again.key, '', 6);
      bed.host.check(key);
      await bed.reports.exit(key);
      expect(bed.text(key, 'out') === binary.toString('latin1')).toBe(true);
      expect(bed.text(key, 'err')).toBe('code 6\n');
    });
  });

  it('R26 is answered also where it outlives the command', async () => {
    const key = bed.start(
      bed.script('(vrun first; vrun second; echo $? >left) & until [ -e go ]; do sleep 0.02; done'),
    );
    const first = await bed.reports.callOf(key);
    writeFileSync(join(bed.work, 'go'), '');
    await bed.reports.exit(key);
    await bed.host.feed(first.key, 'stdout', Readable.from([Buffer.from('shown\n')]));
    bed.answer(first.key);
    bed.answer((await bed.reports.callOf(key, 1)).key, '', 7);
    await until(
      () => existsSync(join(bed.work, 'left')) && readFileSync(join(bed.work, 'left'), 'utf8') === '7\n',
    );
    expect(bed.text(key, 'out')).toBe('shown\n');
  });

  describe('while nobody listens', () => {
    it('R33 waits, and is taken up in order by the next server', async () => {
      const key = bed.start(
        bed.script(
          'until [ -e open ]; do sleep 0.02; done; for i in 1 2 3; do vbatch $i & sleep 0.1; done; : >made; wait',
        ),
      );
      await bed.reports.about('started', key);
      await bed.replaceHost(async () => {
        writeFileSync(join(bed.work, 'open'), '');
        await until(() => existsSync(join(bed.work, 'made')));
      });
      for (const i of [0, 1, 2]) {
        const call = await bed.reports.callOf(key, i);
        expect(call.args).toEqual([String(i + 1)]);
        bed.answer(call.key, `${i}\n`);
      }
      bed.host.check(key);
      await bed.reports.exit(key);
      expect(bed.text(key, 'out').split('\n').sort()).toEqual(['', '0', '1', '2']);
    });

    it('R33 is reported again where it was not answered, and ignored where it is torn', async () => {
      const key = bed.start(bed.script('vbatch whole'));
      const call = await bed.reports.callOf(key);
      const folder = join(bed.home, 'calls', key);
      const whole = readFileSync(join(bed.home, 'calls', call.key));
      await bed.replaceHost(() => {
        for (let length = 1; length < whole.length; length += 97) {
          const torn = join(folder, `9${length}-0`);
          writeFileSync(torn, whole.subarray(0, length));
          utimesSync(torn, 1, 1);
        }
      });
      expect(await bed.reports.callOf(key)).toEqual({ ...call, gone: expect.any(AbortSignal) });
      const reported = bed.reports.all.filter(
        (report) => report.type === 'call' && report.call.attempt === key,
      );
      expect(reported).toHaveLength(1);
      bed.answer(call.key, 'answered\n');
      bed.host.check(key);
      await bed.reports.exit(key);
      expect(bed.text(key, 'out')).toBe('answered\n');
    });
  });
});
