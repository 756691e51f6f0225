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

/** Connects to a host itself, not through others. Throws `unreachable`, or the signal's reason. */
export async function dial(settings: SshSettings, options: DialOptions): Promise<Duplex> {
  const { proxyCommand } = settings;
  return proxyCommand === null
    ? dialTcp(settings, options.signal)
    : runProxy(settings, proxyCommand, options);
}

function dialTcp(settings: SshSettings, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: settings.hostName, port: settings.port });
    // Small packets must not wait for the answer to others: 40 ms a command.
    socket.setNoDelay(true);
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
    };
    const fail = (error: Error): void => {
      settle();
      reject(unreachable(settings, explain(error, settings)));
    };
    signal.addEventListener('abort', abort);
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
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

/** As ssh does it: the user's shell runs the command, which is put in its place. On Windows that is cmd.exe. */
function runProxy(settings: SshSettings, command: string, { env, log }: DialOptions): Duplex {
  const child =
    process.platform === 'win32'
      ? spawn(command, { env, shell: true, windowsHide: true })
      : spawn(env.SHELL || '/bin/sh', ['-c', `exec ${command}`], { env, stdio: 'pipe' });
  let said = '';
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    // A command that has ended takes nothing; what it ended with is told in a moment.
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdin.on('error', () => {});
  child.stdout.on('data', (data: Buffer) => {
    if (!stream.push(data)) child.stdout.pause();
  });
  child.stderr.on('data', (data: Buffer) => {
    said = data.toString().trimEnd();
    log(`the ProxyCommand of ${settings.target}: ${said}`);
  });
  child.once('error', (error) => stream.destroy(new Error(`its ProxyCommand has failed: ${error.message}`)));
  child.once('close', (code, killed) => {
    stream.destroy(new Error(`its ProxyCommand has ended with ${killed ?? code}${said && `: ${said}`}`));
  });
  return stream;
}
