/** Shells beside running attempts: in their surroundings, but no part of them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBytes } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';
import { type Environment, parseExports } from './environment.ts';
import type { AttemptKey, BesideOrder } from './host.ts';
import { besideScript } from './launch.ts';
import type { Site, TerminalChannel } from './machine.ts';

/** How often to look for an environment that is not there yet, and the pause in between, in milliseconds. */
const looks = 20;
const lookPause = 50;

/** The environment with which an attempt's command was started; empty before that. */
export async function attemptEnvironment(site: Site, attempt: AttemptKey): Promise<Environment> {
  const run = (await site.files.read(`${site.paths.attempt(attempt)}.run`)) ?? Buffer.alloc(0);
  return parseExports(run.subarray(run.lastIndexOf(0) + 1));
}

/** As `attemptEnvironment`, once it is there: right after the start it may take a moment. */
async function readyEnvironment(site: Site, attempt: AttemptKey): Promise<Environment> {
  for (let look = 1; ; look++) {
    const environment = await attemptEnvironment(site, attempt);
    if (environment.size > 0) return environment;
    if (look === looks) {
      throw new VbatchError('refused', 'its surroundings are still being set up; try again in a moment');
    }
    await sleep(lookPause);
  }
}

/** Opens a shell beside a running attempt; see Host.openBeside. */
export async function openShellBeside(site: Site, order: BesideOrder): Promise<TerminalChannel> {
  const environment = await readyEnvironment(site, order.key);
  // It goes with the attempt's other files, should it not come to remove itself.
  const path = `${site.paths.attempt(order.key)}.beside-${randomBytes(6).toString('hex')}`;
  const script = besideScript(path, order, environment, await site.login);
  await site.files.writeWhole(path, encodeBytes(script), 0o600);
  try {
    return await site.openTerminal(path, order.terminal);
  } catch (error) {
    site.files.remove([path]).catch(() => {});
    throw error;
  }
}
