// `npm run demo`: the training pipeline on a private server, from submission to the accuracy.
// Everything it starts and writes, but for examples/training/out, is gone afterwards.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const home = mkdtempSync(join(tmpdir(), 'vbatch-demo-'));
const bin = join(home, 'bin');
const env = {
  ...process.env,
  VBATCH_HOME: join(home, 'state'),
  VBATCH_CONFIG: '/dev/null',
  PATH: `${bin}${delimiter}${process.env.PATH}`,
};
const cwd = join(root, 'examples/training');

/** Runs one of the command lines as a person would type it, shown before it runs. */
function type(program, ...args) {
  console.log(`\n$ ${[program, ...args].join(' ')}`);
  return spawnSync(program, args, { cwd, env, stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' });
}

try {
  execFileSync('sh', [
    '-c',
    `mkdir "$0" && for p in vbatch vrun vctl; do ln -s "$1/dist/cli/$p.cjs" "$0/$p"; done`,
    bin,
    root,
  ]);
  console.log('The pipeline, examples/training/training_pipeline.sh:\n');
  execFileSync('grep', ['^vbatch', 'training_pipeline.sh'], { cwd, stdio: 'inherit' });

  const submitted = type('vbatch', './training_pipeline.sh');
  if (submitted.status !== 0) process.exit(submitted.status ?? 1);
  const id = submitted.stdout.trim();
  console.log(id);

  console.log(`\n$ vctl watch ${id}`);
  const watched = spawnSync('vctl', ['watch', id], { cwd, env, stdio: 'inherit' });
  const log = type('vctl', 'log', `${id}/eval`);
  process.stdout.write(log.stdout);
  process.exitCode = watched.status || log.status || 0;
} finally {
  spawnSync('vctl', ['server', 'stop'], { env, stdio: 'ignore' });
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
