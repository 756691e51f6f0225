/** A machine over SSH: reached by one connection, on which everything runs until it is lost. */
import { type ConnectOptions, connect, type SshConnection } from '../../ssh/connection.ts';
import type { SftpClient } from '../../ssh/sftp.ts';
import { quote } from '../agent/orders.ts';
import type { AgentShell } from '../agent/process.ts';
import { scripts } from '../agent/scripts.ts';
import { hostPaths } from '../files.ts';
import type { Login } from '../login.ts';
import type { Machine, Site, SiteFiles } from '../machine.ts';
import { type Contact, makeContact } from './contact.ts';
import { siteFiles } from './files.ts';
import { captureRemoteLogin } from './login.ts';

export interface SshMachineOptions extends Omit<ConnectOptions, 'signal'> {
  /** A name of the SSH configuration, or `user@host:port`. */
  target: string;
  /** Folder for the hosts' files of all servers, which may begin with `~/`. */
  base: string;
  /** Names this server's folder within `base`: two servers never share one. */
  identity: string;
  log: (message: string) => void;
  /** Seconds; see Site. */
  lease?: number;
  /** Told of the files of each connection. */
  connected: (files: SftpClient) => void;
}

/** Longer than any keepalive, so that a connection that is only slow keeps its agent. */
const defaultLease = 600;
/** Made last when the scripts are put there, so that none are used that are not whole. */
const wholeMark = 'whole';

export class SshMachine implements Machine {
  private login: Promise<Login> | null = null;

  constructor(private readonly options: SshMachineOptions) {}

  async reach(signal: AbortSignal): Promise<Site> {
    const { target, base, identity, connected } = this.options;
    const connection = await connect(target, { ...this.options, signal });
    try {
      const contact = await makeContact(connection, `${base}/${identity}`);
      const paths = hostPaths(contact.folder);
      const sftp = await connection.files();
      const files = siteFiles(sftp);
      if (!contact.hasScripts) await installScripts(files, paths.scripts);
      connected(sftp);
      const shell = contact.bash === null ? ['/bin/sh'] : [contact.bash, '--norc'];
      return {
        facts: contact.facts,
        paths,
        cookie: identity,
        shell,
        bash: contact.bash,
        proc: contact.hasProc ? '/proc' : '/nonexistent',
        login: this.loginOn(connection, contact, `${paths.scripts}/login.sh`),
        files,
        attempts: contact.attempts,
        lease: this.options.lease ?? defaultLease,
        openShell: () => openShell(connection, shell, contact.path),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Captured on the first connection on which that succeeds. */
  private loginOn(connection: SshConnection, contact: Contact, printer: string): Promise<Login> {
    if (!this.login) {
      const capturing = captureRemoteLogin(connection, contact.shell, printer, this.options.log);
      this.login = capturing;
      capturing.catch(() => {
        this.login = null;
      });
    }
    return this.login;
  }
}

async function installScripts(files: SiteFiles, folder: string): Promise<void> {
  await Promise.all(
    Object.entries(scripts).map(([name, text]) => files.writeWhole(`${folder}/${name}`, text, 0o700)),
  );
  await files.writeWhole(`${folder}/${wholeMark}`, '', 0o600);
}

async function openShell(
  connection: SshConnection,
  shell: readonly string[],
  path: string,
): Promise<AgentShell> {
  // Nothing that sshd or a start-up file has put into the environment leaks into attempts.
  const command = ['exec env -i', quote(`PATH=${path}`), ...shell.map(quote), '-s'].join(' ');
  const channel = await connection.exec(command);
  const exited = channel.exit.then(
    ({ code, signal }) => (signal === null ? `it exited with ${code}` : `it was ended by ${signal}`),
    // Then the connection is over, which says more.
    () => connection.ended,
  );
  const ended = Promise.race([connection.ended, exited]);
  void ended.then(() => connection.close());
  const { stdin, stdout, stderr } = channel;
  return { stdin, stdout, stderr, ended, kill: () => connection.close() };
}
