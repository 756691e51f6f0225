// Brings a fresh clone to where the other scripts can run. Needs nothing but Node and npm; does
// nothing where all is there. `node setup.mjs [--test | --bench]`: with --test also the programs that tests run,
// with --bench also those that measurements compare with.
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
    // On Windows it is a script of cmd.exe.
    shell: process.platform === 'win32',
  });
}

/**
 * The agent must work under dash, bash and busybox ash; completions under zsh and fish. Hosts behind SSH are made
 * of what comes after, and VS Code is compiled, searched and shown with the rest. The keys are programs, the values
 * Debian's packages.
 */
const forTests = {
  dash: 'dash',
  bash: 'bash',
  busybox: 'busybox',
  zsh: 'zsh',
  fish: 'fish',
  tcsh: 'tcsh',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  ip: 'iproute2',
  unshare: 'util-linux',
  chromium: 'chromium',
  rg: 'ripgrep',
  'g++': 'g++',
  make: 'make',
};
const forMeasurements = { ...forTests, parallel: 'parallel', tsp: 'task-spooler', rsync: 'rsync' };

const options = process.argv.slice(2);
const packages = options.includes('--bench') ? forMeasurements : options.includes('--test') ? forTests : null;
if (packages !== null) {
  installPrograms(packages);
  installHosts();
}

/** The VS Codes that the extension is tested in, which npm has as packages of their own. */
function installHosts() {
  const { status } = spawnSync(process.execPath, ['test/vscode/hosts/setup.mjs'], { stdio: 'inherit' });
  if (status !== 0) console.log('NOT TESTED HERE: the extension (no VS Code could be installed)');
}

/** Those of these programs that are missing, as far as this system's packages have them. */
function installPrograms(packages) {
  const missing = Object.keys(packages).filter((program) => !onPath(program));
  if (missing.length === 0) return;
  // With the package comes a service, which systemd would start: tests open no machine to the network.
  const unwanted = existsSync('/run/systemd/system') ? ['sshd'] : [];
  const wanted = missing.filter((program) => !unwanted.includes(program)).map((program) => packages[program]);
  if (wanted.length > 0 && process.getuid?.() === 0 && onPath('apt-get')) {
    console.log(`installing ${wanted.join(', ')}`);
    // In run level 1 Debian's other ways to start a service start none.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const options = { env, stdio: ['ignore', 'ignore', 'inherit'] };
    spawnSync('apt-get', ['update', '-qq'], options);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], options);
  }
  const still = missing.filter((program) => !onPath(program));
  if (still.length > 0) console.log(`NOT TESTED HERE: ${still.join(', ')} (not installed)`);
}

function onPath(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
