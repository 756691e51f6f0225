/** Connections of a whole process: as it is bundled, and when it is killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { shows } from './reading.ts';
import { hasSshd, transports, useBed } from './sshd.ts';

describe.skipIf(!hasSshd).each(transports)('a process with a connection by %s', (transport) => {
  const context = useBed();
  let child: ChildProcessByStdio<null, Readable, null> | null = null;

  /** Starts it in a folder where no packages are, as the bundled server is. */
  async function start(target: string, passphrase: string): Promise<Readable> {
    const { bed } = context;
    await build({
      entryPoints: {
        puppet: join(import.meta.dirname, 'puppet.ts'),
        keyWorker: join(import.meta.dirname, '../../../server/ssh/keyWorker.cjs'),
      },
      outdir: bed.folder,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      define: { 'import.meta.url': 'bundleUrl' },
      banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
      external: ['cpu-features', '*.node'],
      logLevel: 'error',
    });
    mkdirSync(bed.path('tmp'));
    const args = [bed.path('puppet.cjs'), target, bed.path('config'), transport, passphrase];
    child = spawn(process.execPath, args, {
      cwd: bed.folder,
      env: { PATH: process.env.PATH, TMPDIR: bed.path('tmp') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return child.stdout;
  }
  afterEach(() => {
    child?.kill('SIGKILL');
    child = null;
  });

  it('opens a locked key and connects without ssh2’s native helpers; killed, it leaves nothing behind', async () => {
    const { bed } = context;
    await bed.makeKey('locked', 'open sesame');
    const server = await bed.serve('n1', { client: [`IdentityFile ${bed.path('locked')}`] });
    writeFileSync(bed.path('authorized_keys'), readFileSync(`${bed.path('locked')}.pub`));
    const output = await start('n1', 'open sesame');
    expect(await shows(output, '\n')).toBe(`connected by ${transport}\n`);
    const [connection = 0] = server.connections();
    expect(connection).toBeGreaterThan(0);
    child?.kill('SIGKILL');
    await once(child as ChildProcessByStdio<null, Readable, null>, 'exit');
    while (existsSync(`/proc/${connection}`) || readdirSync(bed.path('tmp')).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
