/** The way to a host's sshd: a TCP connection, or a command that stands for one. */
import { spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { Duplex } from 'node:stream';
import { VbatchError } from '../protocol/errors.ts';
import { address, type SshSettings } from './settings.ts';

export interface DialOptions {
  env: NodeJS.ProcessEnv;
  log: (message: string) => void;
  signal: AbortSignal;
}

/** Connects to a host itself, not through others. Throws `unreachable`. */
export async function dial(settings: SshSettings, options: DialOptions): Promise<Duplex> {
  const { proxyCommand } = settings;
  return proxyCommand === null ? dialTcp(settings, options) : runProxy(settings, proxyCommand, options);
}

function dialTcp(settings: SshSettings, { signal }: DialOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: settings.hostName, port: settings.port });
    // Small packets must not wait for the answer to others: 40 ms a command.
    socket.setNoDelay(true);
    const abort = (): void => void socket.destroy(signal.reason as Error);
    const fail = (error: NodeJS.ErrnoException): void => {
      signal.removeEventListener('abort', abort);
      reject(error instanceof VbatchError ? error : unreachable(settings, explain(error, settings)));
    };
    signal.addEventListener('abort', abort);
    socket.once('error', fail);
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}

/** Node tries several addresses of a host at once and puts their errors into one. */
function explain(error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }, settings: SshSettings) {
  const { code, message } = error.errors?.[0] ?? error;
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens on port ${settings.port} of ${settings.hostName}; is sshd running there?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${settings.hostName} is not known; see HostName in ~/.ssh/config, and the network`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${settings.hostName} does not answer (${code}); is it switched on, and the network up?`;
    default:
      return message;
  }
}

export function unreachable(settings: SshSettings, why: string): VbatchError {
  return new VbatchError(
    'unreachable',
    `${settings.target} (${address(settings)}) cannot be reached: ${why}`,
  );
}

/** As ssh does it: the user's shell runs the command, which is put in its place. */
function runProxy(settings: SshSettings, command: string, { env, log, signal }: DialOptions): Duplex {
  const shell = env.SHELL || '/bin/sh';
  const child = spawn(shell, ['-c', `exec ${command}`], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const stream = Duplex.from({ writable: child.stdin, readable: child.stdout });
  const { target } = settings;
  child.stderr.on('data', (data: Buffer) =>
    log(`the ProxyCommand of ${target}: ${data.toString().trimEnd()}`),
  );
  child.once('error', (error) => stream.destroy(unreachable(settings, `its ProxyCommand: ${error.message}`)));
  child.once('exit', (code, killed) => {
    if (code !== 0) log(`the ProxyCommand of ${target} ended with ${killed ?? code}`);
  });
  const kill = (): void => void child.kill();
  signal.addEventListener('abort', kill, { once: true });
  stream.once('close', kill);
  return stream;
}
