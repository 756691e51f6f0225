// Brings a fresh clone to where the other scripts can run. Needs nothing but Node and npm; does
// nothing where all is there. `node setup.mjs [--test]`: with --test also the shells the tests run under.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  console.error(`vbatch needs Node 20.15 or newer; this is ${process.version}`);
  process.exit(1);
}

const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync('package-lock.json').mtimeMs) {
  console.log('installing packages');
  // Not `npm ci`: it refuses a lock file that lacks the binaries of other platforms, and a registry that
  // does not carry all of them makes such lock files. Versions come from the lock file all the same.
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: 'inherit',
  });
}

if (process.argv.includes('--test')) installShells();

/** The agent must work under dash, bash and busybox ash; completions under zsh and fish. */
function installShells() {
  const missing = ['dash', 'bash', 'busybox', 'zsh', 'fish'].filter((shell) => !onPath(shell));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.log(`installing ${missing.join(', ')} for the tests`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { env, stdio: ['ignore', 'ignore', 'inherit'] };
    spawnSync('apt-get', ['update', '-qq'], options);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
  }
  const still = missing.filter((shell) => !onPath(shell));
  if (still.length > 0) console.log(`NOT TESTED HERE: ${still.join(', ')} (not installed)`);
}

function onPath(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
