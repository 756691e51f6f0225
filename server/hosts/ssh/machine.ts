/** A machine over SSH: reached by one connection, on which everything runs until it is lost. */
import type { Shape } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/hosts.ts';
import { type ConnectOptions, connect, type SshConnection } from '../../ssh/connection.ts';
import type { SftpClient } from '../../ssh/sftp.ts';
import { quote } from '../agent/orders.ts';
import type { AgentShell } from '../agent/process.ts';
import { scripts } from '../agent/scripts.ts';
import { type HostPaths, hostPaths } from '../files.ts';
import type { AttemptKey, HostWorkspace } from '../host.ts';
import type { Login } from '../login.ts';
import type { Leftovers, Machine, PruneRequest, Site, SiteFiles } from '../machine.ts';
import { pruneFolder } from '../prune.ts';
import type { Questions } from '../questions.ts';
import { checkSshHost } from './check.ts';
import { type Contact, makeContact } from './contact.ts';
import { siteFiles } from './files.ts';
import { captureRemoteLogin } from './login.ts';
import { openReadingShell } from './shell.ts';
import { sshTerminals } from './terminal.ts';

export interface SshMachineOptions extends Omit<ConnectOptions, 'signal' | 'prompter'> {
  /** What connecting asks of a person. */
  questions: Questions;
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
/** Between two looks for what is not needed any more. Milliseconds. */
const tidyInterval = 24 * 3600 * 1_000;
/** Made last when the scripts are put there, so that none are used that are not whole. */
const wholeMark = 'whole';

export class SshMachine implements Machine {
  private login: Promise<Login> | null = null;
  /** The connection that stands. */
  private standing: SshConnection | null = null;
  private tidiedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SshMachineOptions) {}

  async reach(signal: AbortSignal): Promise<Site> {
    const { identity, connected } = this.options;
    const connection = await this.connect(signal);
    const abort = () => connection.close();
    signal.addEventListener('abort', abort);
    void connection.ended.then(() => {
      if (this.standing === connection) this.standing = null;
    });
    try {
      const contact = await makeContact(connection, this.folder);
      const paths = hostPaths(contact.folder);
      const [sftp, left] = await Promise.all([connection.files(), this.tidy(connection)]);
      // Without its files a host is of no use; another connection brings them back.
      void sftp.ended.then(() => connection.close());
      const files = siteFiles(sftp);
      if (!contact.hasScripts) await installScripts(files, paths.scripts);
      connected(sftp);
      this.standing = connection;
      const shell = contact.bash === null ? ['/bin/sh'] : [contact.bash, '--norc'];
      const openTerminal = sshTerminals(connection);
      return {
        facts: contact.facts,
        paths,
        cookie: identity,
        variables: {},
        shell,
        bash: contact.bash,
        proc: contact.hasProc ? '/proc' : '/nonexistent',
        login: this.loginOn(connection, contact, `${paths.scripts}/login.sh`),
        files,
        workspace: workspaceOn(connection, paths, contact.path),
        attempts: [...new Set([...contact.attempts, ...left])],
        lease: this.options.lease ?? defaultLease,
        openShell: () => openShell(connection, freshShell([...shell, '-s'], contact.path)),
        openTerminal: (script, terminal) =>
          openTerminal(freshShell([...shell, script], contact.path), terminal),
      };
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  check(configured: Partial<Shape>, signal: AbortSignal): Promise<Finding[]> {
    const { folder, standing } = this;
    return checkSshHost({ ...this.options, folder, standing, configured, signal });
  }

  async prune(request: PruneRequest): Promise<Leftovers> {
    const { standing } = this;
    const { target } = this.options;
    if (!standing)
      throw new VbatchError('unreachable', `${target} is out of reach, so nothing is removed there.`);
    return pruneFolder(await openReadingShell(standing), this.folder, request);
  }

  private get folder(): string {
    return `${this.options.base}/${this.options.identity}`;
  }

  private async connect(signal: AbortSignal): Promise<SshConnection> {
    const { target, questions } = this.options;
    questions.begin();
    try {
      const connection = await connect(target, { ...this.options, prompter: questions, signal });
      questions.succeeded();
      return connection;
    } catch (error) {
      throw questions.failed(error as Error);
    }
  }

  /** Removes old scripts and environments, once a day. Answers with attempts of which anything is left. */
  private async tidy(connection: SshConnection): Promise<AttemptKey[]> {
    if (performance.now() - this.tidiedAt < tidyInterval) return [];
    try {
      const request = { attempts: [], folders: [], look: 'attempts' } as const;
      const { attempts } = await pruneFolder(await openReadingShell(connection), this.folder, request);
      this.tidiedAt = performance.now();
      return attempts;
    } catch (error) {
      this.options.log(`its folder is not tidied: ${(error as Error).message}`);
      return [];
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

/** A command that every login shell understands. Nothing that it or sshd has put into the environment leaks. */
function freshShell(words: readonly string[], path: string): string {
  return ['exec env -i', quote(`PATH=${path}`), ...words.map(quote)].join(' ');
}

function workspaceOn(
  connection: SshConnection,
  { folder, scripts: versioned }: HostPaths,
  path: string,
): HostWorkspace {
  const script = ['/bin/sh', `${versioned}/workspace.sh`, folder];
  return {
    folder,
    run: (words) => connection.exec(freshShell([...script, ...words], path)),
  };
}

async function openShell(connection: SshConnection, command: string): Promise<AgentShell> {
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
