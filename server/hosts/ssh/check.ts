/** A report on a host over SSH: the way to it, then the connection, then the machine. */
import type { Shape } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/hosts.ts';
import { type ConnectOptions, connect, type SshConnection } from '../../ssh/connection.ts';
import { dial } from '../../ssh/dial.ts';
import { keyName } from '../../ssh/hostKey.ts';
import { readKnownHosts } from '../../ssh/knownHosts.ts';
import { nobody, type Prompter } from '../../ssh/prompter.ts';
import { address, resolveSettings, type SshSettings } from '../../ssh/settings.ts';
import {
  keepProcesses,
  logoutByConfiguration,
  machineFindings,
  roomFinding,
  sleeperOf,
  tellMachine,
} from '../checkMachine.ts';
import { failure, ok, warning } from '../findings.ts';
import type { Told } from '../told.ts';
import { connectionFindings, loginShellFinding } from './checkConnection.ts';
import { makeContact } from './contact.ts';
import { openReadingShell } from './shell.ts';

export interface CheckOptions extends Omit<ConnectOptions, 'prompter'> {
  target: string;
  /** The host's folder there, which may begin with `~/`. */
  folder: string;
  /** The connection that stands, or null. */
  standing: SshConnection | null;
  configured: Partial<Shape>;
}

/** Connecting longer than this holds everything up when a connection was lost. Milliseconds. */
const slowConnect = 5_000;
/** What tasks take for granted, in seconds: make and rsync look at times of files. */
const largestSkew = 2;
/** How long logind may take to end what a session leaves behind. Milliseconds. */
const logoutPause = 1_500;

/** What a test connection would have asked a person, if anything. */
type Wanted = 'hostKey' | 'passphrase' | 'password' | null;

export async function checkSshHost(options: CheckOptions): Promise<Finding[]> {
  const { target } = options;
  const findings: Finding[] = [];
  let settings: SshSettings;
  try {
    settings = await resolveSettings(target, options);
  } catch (error) {
    return [failure('configuration', messageOf(error), 'mend it in the ssh configuration')];
  }
  findings.push(ok('configuration', describe(settings)));
  const network = await networkFinding(settings, options);
  if (network) findings.push(network);
  if (network?.status === 'failure') return findings;

  const reached = await reach(settings, options);
  findings.push(...reached.findings);
  const connection = reached.connection ?? options.standing;
  if (!connection) return findings;
  try {
    const isOwn = reached.connection !== null;
    findings.push(...(await connectionFindings(connection, isOwn)));
    findings.push(...(await onMachine(connection, isOwn, options)));
  } catch (error) {
    findings.push(failure('check', `it broke off: ${messageOf(error)}`, null));
  } finally {
    reached.connection?.close();
  }
  return findings;
}

function describe(settings: SshSettings): string {
  const through = settings.jumps.map(({ target }) => target).join(', ');
  const way = through !== '' ? `, through ${through}` : settings.proxyCommand ? ', by a ProxyCommand' : '';
  return `${settings.target} is ${address(settings)}${way}`;
}

/** Null where others connect us to the host. */
async function networkFinding(settings: SshSettings, options: CheckOptions): Promise<Finding | null> {
  if (settings.jumps.length > 0 || settings.proxyCommand !== null) return null;
  const limit = AbortSignal.timeout((settings.connectTimeout ?? 20) * 1_000);
  const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
  const since = performance.now();
  try {
    (await dial(settings, { env: options.env, log: options.log, signal })).destroy();
    return ok('network', `port ${settings.port} of ${settings.hostName} answers in ${elapsed(since)}`);
  } catch (error) {
    const text = limit.aborted ? `${settings.hostName} does not answer` : messageOf(error);
    return failure('network', text, 'see whether it is switched on, and the network and VPN are up');
  }
}

/** A connection of its own, and what it shows. None where that would need somebody's answer. */
async function reach(
  settings: SshSettings,
  options: CheckOptions,
): Promise<{ connection: SshConnection | null; findings: Finding[] }> {
  let wanted: Wanted = null;
  const note = <Q, A>(what: Wanted, otherwise: (question: Q) => Promise<A>) => {
    return (question: Q): Promise<A> => {
      wanted ??= what;
      return otherwise(question);
    };
  };
  const prompter: Prompter = {
    hostKey: note('hostKey', nobody.hostKey),
    passphrase: note('passphrase', nobody.passphrase),
    password: note('password', nobody.password),
    keyboardInteractive: note('password', nobody.keyboardInteractive),
  };
  const since = performance.now();
  try {
    const connection = await connect(options.target, { ...options, prompter });
    const time = elapsed(since);
    const text = `by ${connection.transport}, to ${connection.serverVersion}, in ${time}`;
    const isSlow = performance.now() - since > slowConnect;
    const fix =
      'see what the host waits for: UseDNS and GSSAPIAuthentication in sshd_config, slow start-up files';
    return {
      connection,
      findings: [
        await hostKeyFinding(settings),
        ok('authentication', `it lets us in by ${connection.identity}`),
        isSlow ? warning('connection', text, fix) : ok('connection', text),
      ],
    };
  } catch (error) {
    return { connection: null, findings: await failedFindings(settings, messageOf(error), wanted, options) };
  }
}

async function hostKeyFinding(settings: SshSettings): Promise<Finding> {
  const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  const known = await readKnownHosts(files);
  const { host, port } = keyName(settings);
  const types = [...known.types(host, port), ...(known.hasAuthority(host, port) ? ['a certificate'] : [])];
  if (types.length > 0) return ok('host key', `it is known (${types.join(', ')})`);
  return ok('host key', 'it was accepted');
}

/** What went wrong on the way in. The host's key is shown before anybody is let in. */
async function failedFindings(
  settings: SshSettings,
  message: string,
  wanted: Wanted,
  { standing }: CheckOptions,
): Promise<Finding[]> {
  const name = settings.target;
  const advice = `run \`vctl host connect\` for it in a terminal`;
  if (wanted === 'hostKey') return [failure('host key', message, advice)];
  if (/host key/i.test(message)) return [failure('host key', message, null)];
  const key = await hostKeyFinding(settings);
  switch (wanted) {
    case 'passphrase':
      return [key, failure('authentication', message, `${advice}, or add the key to your ssh-agent`)];
    case 'password': {
      const text = `${name} asks a person each time it lets us in, so a lost connection waits for one`;
      const fix = `install a key there: ssh-copy-id ${name}`;
      if (standing) return [key, warning('authentication', text, fix)];
      return [key, failure('authentication', text, `${advice}, or ${fix}`)];
    }
    case null:
      return /let us in|permission denied/i.test(message)
        ? [key, failure('authentication', message, null)]
        : [failure('connection', message, null)];
    default:
      return wanted satisfies never;
  }
}

/** All that the machine itself tells. With `isOwn` the connection may be closed in between. */
async function onMachine(
  connection: SshConnection,
  isOwn: boolean,
  options: CheckOptions,
): Promise<Finding[]> {
  const { folder, configured } = options;
  const told = await tellMachine(await openReadingShell(connection), folder, { leaveSleeper: isOwn });
  const shell = told.one('shell') ?? '/bin/sh';
  const findings = [await loginShellFinding(connection, shell), ...machineFindings(told)];
  try {
    const contact = await makeContact(connection, folder);
    findings.push(roomFinding(contact.facts, configured), clockFinding(contact.clockSkew));
  } catch (error) {
    // That the folder cannot be written is among the findings already.
    if (told.one('trouble') === undefined) findings.push(failure('contact', messageOf(error), null));
  }
  const logout = await logoutFinding(connection, told, isOwn, options);
  return logout ? [...findings, logout] : findings;
}

function clockFinding(skew: number): Finding {
  const size = Math.abs(skew);
  // It tells whole seconds.
  if (size <= largestSkew) return ok('clock', 'it agrees with that of this machine');
  const text = `it is ${Math.round(size)} s ${skew > 0 ? 'ahead of' : 'behind'} that of this machine`;
  return warning('clock', text, 'set it by NTP, such as with chrony or systemd-timesyncd');
}

/** Whether what is left behind outlives its connection: seen, or else as the settings of logind have it. */
async function logoutFinding(
  connection: SshConnection,
  told: Told,
  isOwn: boolean,
  options: CheckOptions,
): Promise<Finding | null> {
  const settings = logoutByConfiguration(told);
  const seen = isOwn ? await survives(connection, sleeperOf(told), options) : null;
  const lives = seen ?? (settings === null ? null : !settings.kills);
  if (lives === null) return null;
  if (lives) return ok('logout', `processes go on when a connection ends${seen === null ? '' : ', as seen'}`);
  const why = settings?.kills ? `: ${settings.text}` : '';
  return failure('logout', `processes are ended with their connection${why}`, keepProcesses(told));
}

/** Closes the connection, and looks from another one. Null where that could not be tried. */
async function survives(
  connection: SshConnection,
  sleeper: number | null,
  options: CheckOptions,
): Promise<boolean | null> {
  if (sleeper === null) return null;
  connection.close();
  await new Promise((resolve) => setTimeout(resolve, logoutPause));
  try {
    const second = options.standing ?? (await connect(options.target, { ...options, prompter: nobody }));
    const channel = await second.exec(`kill ${sleeper}`);
    channel.stdout.resume();
    const { code } = await channel.exit;
    if (second !== options.standing) second.close();
    // Anything else says nothing of the process: the connection may have been lost.
    return code === 0 ? true : code === 1 ? false : null;
  } catch {
    return null;
  }
}

function elapsed(since: number): string {
  return `${Math.round(performance.now() - since)} ms`;
}

function messageOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof VbatchError ? message.replace(/\.$/, '') : message;
}
