/** How a client finds the server of a state folder: a small file, readable by its owner alone. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { replaceFile } from '../replaceFile.ts';

/** Contents of `server.json` in the state folder. Written with mode 0600: it holds the token. */
export interface Discovery {
  pid: number;
  port: number;
  token: string;
  version: string;
}

/** The state folder: `VBATCH_HOME`, else `$XDG_STATE_HOME/vbatch`, else `~/.local/state/vbatch`. */
export function stateFolder(env: NodeJS.ProcessEnv): string {
  if (env.VBATCH_HOME) return resolve(env.VBATCH_HOME);
  return join(xdgFolder(env.XDG_STATE_HOME, '.local/state'), 'vbatch');
}

/** The user's configuration file: `VBATCH_CONFIG`, else `$XDG_CONFIG_HOME/vbatch/config.yaml`. */
export function userConfigFile(env: NodeJS.ProcessEnv): string {
  if (env.VBATCH_CONFIG) return resolve(env.VBATCH_CONFIG);
  return join(xdgFolder(env.XDG_CONFIG_HOME, '.config'), 'vbatch', 'config.yaml');
}

/** The XDG Base Directory Specification: a value that is not absolute is ignored. */
function xdgFolder(value: string | undefined, fallback: string): string {
  return value !== undefined && isAbsolute(value) ? value : join(homedir(), fallback);
}

function discoveryFile(home: string): string {
  return join(home, 'server.json');
}

/** What the last server of this state folder has left, or null. It may be gone since. */
export function readDiscovery(home: string): Discovery | null {
  let text: string;
  try {
    text = readFileSync(discoveryFile(home), 'utf8');
  } catch {
    return null;
  }
  try {
    const found = JSON.parse(text) as Partial<Discovery>;
    const complete =
      typeof found.pid === 'number' &&
      typeof found.port === 'number' &&
      typeof found.token === 'string' &&
      typeof found.version === 'string';
    return complete ? (found as Discovery) : null;
  } catch {
    return null;
  }
}

/** Publishes the running server. The file is never seen half written nor with wider permissions. */
export function writeDiscovery(home: string, discovery: Discovery): void {
  const temporary = `${discoveryFile(home)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(discovery), { mode: 0o600 });
  chmodSync(temporary, 0o600);
  replaceFile(temporary, discoveryFile(home));
}

/** Takes the publication back, if it is still this server's. */
export function removeDiscovery(home: string, pid: number): void {
  if (readDiscovery(home)?.pid === pid) rmSync(discoveryFile(home), { force: true });
}
