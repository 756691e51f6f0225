/** `vctl open`: the graph page in a browser. */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { type Context, withExamples } from './context.ts';

/** A browser that is not up after this time will not read its file any more. */
const fileMs = 60_000;

export function addOpen(program: Command, context: Context): void {
  const command = program
    .command('open')
    .argument('[id]', 'id of a task, or the name of a run; all runs where it is absent')
    .option('--print', 'print the address, which is good once, and open nothing')
    .description('show runs as a graph, live, in a browser')
    .action(async (given: string | undefined, { print }: { print?: boolean }) => {
      const client = await context.connect();
      const id = given === undefined ? null : (await client.task(given)).id;
      const address = await client.pageAddress(id);
      const opener = print === true ? null : openerOf(context.io.env);
      if (opener === null) {
        context.io.stdout.write(`${address}\n`);
        return;
      }
      await start(opener, pathToFileURL(writeGate(context.home, address, context.now())).href);
      context.io.stderr.write('vctl: opened in a browser; `vctl open --print` prints the address instead\n');
    });
  withExamples(command, ['vctl open', 'vctl open training_pipeline', 'vctl open --print']);
}

/** The program that opens a browser on this screen; null where there is none, or the screen is elsewhere. */
function openerOf(env: NodeJS.ProcessEnv): string | null {
  if (env.SSH_CONNECTION !== undefined || env.TERM_PROGRAM === 'vscode') return null;
  if (process.platform === 'darwin') return 'open';
  if (process.platform === 'win32') return 'explorer.exe';
  return env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined ? 'xdg-open' : null;
}

/**
 * Arguments of programs can be seen by every user of the machine, so the browser is given the name of a file
 * that only its owner can read, and which leads on to the address.
 */
function writeGate(home: string, address: string, now: number): string {
  for (const name of readdirSync(home)) {
    const path = join(home, name);
    if (/^open-\d+\.html$/.test(name) && now - statSync(path).mtimeMs > fileMs) rmSync(path, { force: true });
  }
  const path = join(home, `open-${process.pid}.html`);
  const html = `<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${address}">`;
  writeFileSync(path, html, { mode: 0o600 });
  return path;
}

/** Resolves when the opener has done its work, or leads the browser itself. */
async function start(opener: string, url: string): Promise<void> {
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', reject);
  });
}
