import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallKey, NestedCall } from '../../../server/hosts/host.ts';
import { Bed, presentSites, until } from './bed.ts';

/** The process that has made a call. */
function callerOf(call: CallKey): number {
  return Number.parseInt(call.slice(call.indexOf('/') + 1), 10);
}

async function abortion(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

describe.each(presentSites)('R3 a vrun that is told to end under %s', (_, site) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open(site);
    // The shim's first line names sh; here it is run by each shell in turn.
    for (const program of ['vbatch', 'vrun']) {
      const path = join(bed.shims, program);
      const body = readFileSync(path, 'latin1');
      writeFileSync(path, body.replace('#!/bin/sh', `#!/usr/bin/env -S ${site.shell.join(' ')}`), 'latin1');
    }
  });
  afterAll(() => bed.dispose());

  /** Starts a script, and answers with the call that it makes. */
  async function calling(script: string): Promise<NestedCall> {
    return bed.reports.callOf(bed.start(bed.script(script)));
  }

  async function output(key: string): Promise<string> {
    await bed.reports.exit(key);
    await bed.whole(key);
    return (await bed.host.logs.read(key, 'stdout', 0, 1e6)).toString('latin1');
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s says so, and ends with its task',
    async (signal) => {
      const call = await calling('vrun x; echo "code $?"');
      const caller = callerOf(call.key);
      expect(call.gone.aborted).toBe(false);
      process.kill(caller, signal);
      await abortion(call.gone);
      // Again and again is no more than once.
      for (const again of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(caller, again);
      await bed.host.feed(call.key, 'stdout', Readable.from([Buffer.from('its last words\n')]));
      process.kill(caller, signal);
      bed.answer(call.key, '', 143);
      expect(await output(call.attempt)).toBe('its last words\ncode 143\n');
      const folder = join(bed.home, 'calls', call.attempt);
      await until(() => readdirSync(folder).length === 1);
    },
  );

  it('by timeout, which signals twice', async () => {
    if (spawnSync('timeout', ['1', 'true']).status !== 0)
      return console.error('SKIPPED: there is no timeout.');
    const call = await calling('timeout 0.1 vrun x; echo "code $?"');
    await abortion(call.gone);
    bed.answer(call.key, '', 143);
    expect(await output(call.attempt)).toBe('code 124\n');
  });

  it('with all that a script has started', async () => {
    const key = bed.start(
      bed.script('trap : TERM; for i in 1 2 3; do vrun $i & done; : >made; wait; wait; echo over'),
    );
    const calls = await Promise.all([0, 1, 2].map((number) => bed.reports.callOf(key, number)));
    await until(() => existsSync(join(bed.work, 'made')));
    for (const { key: call } of calls) process.kill(callerOf(call), 'SIGTERM');
    for (const { gone } of calls) await abortion(gone);
    for (const { key: call } of calls) bed.answer(call, '', 143);
    expect(await output(key)).toBe('over\n');
  });

  it('is known to be so by the next server, which was not there to hear it', async () => {
    const call = await calling('vrun x; echo "code $?"');
    await bed.replaceHost(async () => {
      process.kill(callerOf(call.key), 'SIGTERM');
      await until(() => existsSync(join(bed.home, 'calls', `${call.key}.gone`)));
    });
    const again = await bed.reports.callOf(call.attempt);
    expect(again.key).toBe(call.key);
    await abortion(again.gone);
    bed.answer(again.key, '', 5);
    bed.host.check(call.attempt);
    expect(await output(call.attempt)).toBe('code 5\n');
  });

  it('R27 because its attempt is stopped ends at once, and its task is not told', async () => {
    const call = await calling('vrun x');
    bed.host.stop(call.attempt, 30);
    expect((await bed.reports.exit(call.attempt)).signal).toBe('TERM');
    expect(call.gone.aborted).toBe(false);
  });

  it('is a vrun: a vbatch that waits only leaves', async () => {
    const call = await calling('vbatch -f x; echo "code $?"');
    process.kill(callerOf(call.key), 'SIGTERM');
    expect(await output(call.attempt)).toBe('code 143\n');
    expect(call.gone.aborted).toBe(false);
    bed.answer(call.key);
  });
});
