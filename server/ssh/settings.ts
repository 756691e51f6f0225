/**
 * Everything `~/.ssh/config` says of a host. OpenSSH's own client reads it (`ssh -G`, some 5 ms), so that
 * Include, Match, wildcards and defaults mean here what they mean to ssh.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';
import { parseTarget, type Target } from './target.ts';
import { expandPath, expandTokens, type TokenValues } from './tokens.ts';

/** How to reach one host. All paths are absolute, all tokens are put in. */
export interface SshSettings {
  /** What was asked for, for messages. */
  target: string;
  hostName: string;
  user: string;
  port: number;
  /** Hosts to go through (ProxyJump), the nearest to this machine first. Theirs are in this list, too. */
  jumps: readonly SshSettings[];
  /** A shell command that stands for the connection. */
  proxyCommand: string | null;
  /** In the order to be tried; they need not exist. */
  identityFiles: readonly string[];
  identitiesOnly: boolean;
  /** The ssh-agent's socket. */
  identityAgent: string | null;
  certificateFiles: readonly string[];
  userKnownHostsFiles: readonly string[];
  globalKnownHostsFiles: readonly string[];
  hostKeyAlias: string | null;
  hashKnownHosts: boolean;
  strictHostKeyChecking: 'yes' | 'ask' | 'accept-new' | 'no';
  /** Seconds between two signs of life, or 0 where nothing is said; and how many may go unanswered. */
  serverAliveInterval: number;
  serverAliveCountMax: number;
  /** Seconds. */
  connectTimeout: number | null;
  hostKeyAlgorithms: readonly string[];
  kexAlgorithms: readonly string[];
  ciphers: readonly string[];
  macs: readonly string[];
  publicKey: boolean;
  password: boolean;
  keyboardInteractive: boolean;
  gssapi: boolean;
  numberOfPasswordPrompts: number;
}

export interface ResolveOptions {
  /** Instead of `~/.ssh/config` and the system's. */
  configFile?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** OpenSSH's client; by default the one on PATH. */
  ssh?: string | undefined;
}

/** `Match exec` may run anything; one that takes longer is given up on. Milliseconds. */
const patience = 15_000;

/**
 * Resolves a target and all hosts on the way to it.
 * Throws `invalid` for what is no target, `configuration` for what ssh cannot read.
 */
export async function resolveSettings(text: string, options: ResolveOptions): Promise<SshSettings> {
  return resolve(parseTarget(text), text, options, []);
}

/** `via` are the targets that led here, to notice a circle. */
async function resolve(
  target: Target,
  text: string,
  options: ResolveOptions,
  via: readonly string[],
): Promise<SshSettings> {
  if (via.includes(text)) {
    throw new VbatchError(
      'configuration',
      `ProxyJump goes round in a circle: ${[...via, text].join(' → ')}. Mend it in ${fileName(options)}.`,
    );
  }
  const values = parseSettings(await runSsh(target, options));
  const settings = settingsOf(target, text, values, options.env);
  const proxyJump = one(values, 'proxyjump');
  if (proxyJump === null) return settings;
  const jumps: SshSettings[] = [];
  for (const jump of proxyJump.split(',')) {
    const hop = await resolve(parseTarget(jump), jump, options, [...via, text]);
    // Only the first host is gone to as its own settings say; the others lie behind it.
    if (jumps.length === 0) jumps.push(...hop.jumps, { ...hop, jumps: [] });
    else jumps.push({ ...hop, jumps: [], proxyCommand: null });
  }
  return { ...settings, jumps };
}

type Values = ReadonlyMap<string, readonly string[]>;

/** Reads what `ssh -G` prints: a keyword and its value a line; some keywords come several times. */
export function parseSettings(output: string): Values {
  const values = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const keyword = line.slice(0, space).toLowerCase();
    const value = line.slice(space + 1).trim();
    const list = values.get(keyword);
    if (list) list.push(value);
    else values.set(keyword, [value]);
  }
  return values;
}

/** The value, or null where it is not given or `none`. */
function one(values: Values, keyword: string): string | null {
  const value = values.get(keyword)?.[0];
  return value === undefined || value === '' || value === 'none' ? null : value;
}

/** Settings from what `ssh -G` has printed, without the hosts on the way. */
export function settingsOf(
  target: Target,
  text: string,
  values: Values,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): SshSettings {
  const local = userInfo();
  const tokens: TokenValues = {
    home: local.homedir,
    localUser: local.username,
    localHost: hostname(),
    uid: local.uid,
    name: target.host,
    hostName: one(values, 'hostname') ?? target.host,
    hostKeyAlias: one(values, 'hostkeyalias'),
    port: number(values, 'port') ?? target.port ?? 22,
    user: one(values, 'user') ?? target.user ?? local.username,
    env,
    platform,
  };
  const paths = (keyword: string): string[] =>
    (values.get(keyword) ?? []).filter((path) => path !== 'none').map((path) => expandPath(path, tokens));
  // Several files stand on one line, and ssh has made their paths absolute: a space before the next begins parts them.
  const next = platform === 'win32' ? / (?=[/~]|[A-Za-z]:[/\\]|__PROGRAMDATA__)/ : / (?=[/~])/;
  const files = (keyword: string): string[] =>
    (one(values, keyword)?.split(next) ?? []).map((path) => expandPath(path, tokens));
  const proxyCommand = one(values, 'proxycommand');
  return {
    target: text,
    hostName: tokens.hostName,
    user: tokens.user,
    port: tokens.port,
    jumps: [],
    proxyCommand: proxyCommand && expandTokens(proxyCommand, tokens),
    identityFiles: paths('identityfile'),
    identitiesOnly: one(values, 'identitiesonly') === 'yes',
    identityAgent: agentSocket(values.get('identityagent')?.[0], tokens),
    certificateFiles: paths('certificatefile'),
    userKnownHostsFiles: files('userknownhostsfile'),
    globalKnownHostsFiles: files('globalknownhostsfile'),
    hostKeyAlias: tokens.hostKeyAlias,
    hashKnownHosts: one(values, 'hashknownhosts') === 'yes',
    strictHostKeyChecking: strictness(one(values, 'stricthostkeychecking')),
    serverAliveInterval: number(values, 'serveraliveinterval') ?? 0,
    serverAliveCountMax: number(values, 'serveralivecountmax') ?? 3,
    connectTimeout: number(values, 'connecttimeout'),
    hostKeyAlgorithms: list(values, 'hostkeyalgorithms'),
    kexAlgorithms: list(values, 'kexalgorithms'),
    ciphers: list(values, 'ciphers'),
    macs: list(values, 'macs'),
    publicKey: !isOff(values, 'pubkeyauthentication'),
    password: !isOff(values, 'passwordauthentication'),
    keyboardInteractive: !isOff(values, 'kbdinteractiveauthentication'),
    gssapi: one(values, 'gssapiauthentication') === 'yes',
    numberOfPasswordPrompts: number(values, 'numberofpasswordprompts') ?? 3,
  };
}

function number(values: Values, keyword: string): number | null {
  const value = one(values, keyword);
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}

function list(values: Values, keyword: string): string[] {
  return one(values, keyword)?.split(',') ?? [];
}

function isOff(values: Values, keyword: string): boolean {
  return ['no', 'false'].includes(one(values, keyword) ?? '');
}

/** `ssh -G` prints `true` and `false` for what is written `yes` and `no`. */
function strictness(value: string | null): SshSettings['strictHostKeyChecking'] {
  switch (value) {
    case 'yes':
    case 'true':
      return 'yes';
    case 'accept-new':
      return 'accept-new';
    case 'no':
    case 'off':
    case 'false':
      return 'no';
    default:
      return 'ask';
  }
}

/** Where Windows' own ssh-agent listens. */
const agentOfWindows = '\\\\.\\pipe\\openssh-ssh-agent';

function agentSocket(value: string | undefined, tokens: TokenValues): string | null {
  if (value === 'none') return null;
  const usual = tokens.platform === 'win32' ? agentOfWindows : null;
  if (value === undefined || value === 'SSH_AUTH_SOCK') return tokens.env.SSH_AUTH_SOCK || usual;
  if (value.startsWith('$') && !value.startsWith('${')) return tokens.env[value.slice(1)] || null;
  return expandPath(value, tokens);
}

function fileName(options: ResolveOptions): string {
  return options.configFile ?? '~/.ssh/config';
}

/** What `ssh -G` prints for a target; nothing where there is neither an ssh nor a configuration file. */
function runSsh({ host, user, port }: Target, options: ResolveOptions): Promise<string> {
  const args = ['-G', '-T'];
  if (options.configFile) args.push('-F', options.configFile);
  if (user !== null) args.push('-l', user);
  if (port !== null) args.push('-p', String(port));
  args.push('--', host);
  return new Promise((done, fail) => {
    const refuse = (what: string): void => fail(new VbatchError('configuration', what));
    execFile(
      options.ssh ?? 'ssh',
      args,
      { env: options.env, timeout: patience, maxBuffer: 1024 * 1024, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) {
          done(stdout);
        } else if (error.code === 'ENOENT') {
          const file = options.configFile ?? join(userInfo().homedir, '.ssh', 'config');
          if (existsSync(file)) {
            refuse(`${file} cannot be read without OpenSSH's client: install it (openssh-client).`);
          } else {
            done(withoutSsh());
          }
        } else if (error.killed) {
          refuse(
            `ssh took longer than ${patience / 1000} s to read ${fileName(options)} for ${host}: ` +
              `look at its "Match exec" lines.`,
          );
        } else {
          const said = stderr.trim().split('\n').join('; ');
          refuse(`ssh cannot read ${fileName(options)} for ${host}: ${said || error.message}.`);
        }
      },
    );
  });
}

/** ssh's defaults, as far as they matter here. */
function withoutSsh(): string {
  return [
    'identityfile ~/.ssh/id_ed25519',
    'identityfile ~/.ssh/id_ecdsa',
    'identityfile ~/.ssh/id_rsa',
    'userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2',
    'globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
  ].join('\n');
}

/** `user@host`, with the port where it is not the usual one: for messages. */
export function address({ user, hostName, port }: SshSettings): string {
  return port === 22 ? `${user}@${hostName}` : `${user}@${hostName} port ${port}`;
}
