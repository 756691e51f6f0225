/** What `~/.ssh/config` abbreviates: `~`, `%h`, `${NAME}`. See TOKENS in ssh_config(5). */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** What the abbreviations stand for, for one host. */
export interface TokenValues {
  /** The home folder of the local user, and its name. */
  home: string;
  localUser: string;
  localHost: string;
  uid: number;
  /** The name as it was given, and what it was resolved to. */
  name: string;
  hostName: string;
  hostKeyAlias: string | null;
  port: number;
  user: string;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
}

/** Puts in what `%` stands for. What is none of ssh's tokens is left as it is. */
export function expandTokens(text: string, values: TokenValues): string {
  return text.replace(/%(.)/g, (token, letter: string) => tokenValue(letter, values) ?? token);
}

/** A path with `~`, `%` and `${NAME}` put in. */
export function expandPath(path: string, values: TokenValues): string {
  const whole = /^~(?=[/\\]|$)/.test(path) ? join(values.home, path.slice(1)) : path;
  const expanded = expandTokens(whole, values).replace(
    /\$\{(\w+)\}/g,
    (text, name: string) => values.env[name] ?? text,
  );
  return values.platform === 'win32' ? windowsPath(expanded, values.env) : expanded;
}

/** Windows' own ssh writes `__PROGRAMDATA__\\ssh` and that of Git `/c/Users`, which Windows itself does not know. */
function windowsPath(path: string, { ProgramData = 'C:\\ProgramData' }: NodeJS.ProcessEnv): string {
  return path.replace(/^__PROGRAMDATA__/, () => ProgramData).replace(/^\/([a-z])(?=\/)/i, '$1:');
}

function tokenValue(letter: string, values: TokenValues): string | null {
  const { localHost, hostName, port, user } = values;
  switch (letter) {
    case '%':
      return '%';
    case 'C':
      return createHash('sha1').update(`${localHost}${hostName}${port}${user}`).digest('hex');
    case 'd':
      return values.home;
    case 'h':
      return hostName;
    case 'i':
      return String(values.uid);
    case 'k':
      return values.hostKeyAlias ?? values.name;
    case 'L':
      return localHost.split('.')[0] ?? localHost;
    case 'l':
      return localHost;
    case 'n':
      return values.name;
    case 'p':
      return String(port);
    case 'r':
      return user;
    case 'u':
      return values.localUser;
    default:
      return null;
  }
}
