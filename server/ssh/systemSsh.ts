/**
 * A connection that the system's own ssh speaks, for what ssh2 cannot do: certificates, hardware keys,
 * GSSAPI, algorithms that are newer or older. One ssh process per connection, as a ControlMaster.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { VbatchError } from '../protocol/errors.ts';
import { type Askpass, serveAskpass } from './askpass.ts';
import {
  type ChannelRequest,
  type Link,
  NoRoom,
  noRoomReasons,
  refusedRequest,
  type SshChannel,
} from './channel.ts';
import { Deadline } from './deadline.ts';
import { unreachable } from './dial.ts';
import { changedKey, keyName } from './hostKey.ts';
import { appendLines, hostName } from './knownHosts.ts';
import { later } from './later.ts';
import { Life } from './life.ts';
import { ChannelFailure, Mux } from './mux.ts';
import { remembering } from './remembering.ts';
import { address, type SshSettings } from './settings.ts';
import type { LinkOptions } from './ssh2Link.ts';
import { parseTarget } from './target.ts';

/** What ssh says at all times, because of -v. */
const noise =
  /^(debug\d: |OpenSSH_|Authenticated to |Transferred: |Bytes per second: |Killed by signal |@|\s*$)/;

/** How many lines of it are kept, for messages. */
const mostSaid = 50;

type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** Names our folder in ssh's environment. */
const folderVariable = 'VBATCH_SSH_FOLDER';

/**
 * Run by ssh itself when it has been let in: tells us so, and clears up when our end of its stdin closes,
 * which also happens when we are killed. It suits every login shell, and $PPID is ssh. What runs in the
 * background has no stdin but one that was put aside.
 */
const localCommand =
  `exec /bin/sh -c 'exec 3<&0; echo ready; ` +
  `{ cat <&3; kill $PPID; rm -rf -- "$${folderVariable}"; } >/dev/null 2>&1 &'`;

/**
 * Connects by the system's ssh, which finds its own way through jump hosts.
 * Throws `unreachable` where there is no answer, `refused` for a key that is not accepted.
 */
export async function connectBySystemSsh(
  settings: SshSettings,
  configFile: string | undefined,
  options: LinkOptions,
): Promise<Link> {
  // Short: the path of a socket may have 104 characters.
  const folder = await mkdtemp(join(tmpdir(), 'vbatch-'));
  const link = new SystemLink(settings, configFile, options, folder);
  try {
    await link.connect();
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}

class SystemLink implements Link {
  private readonly life = new Life();
  readonly ended = this.life.ended;
  serverVersion = 'unknown';
  identity = 'unknown';
  private mux: Mux | null = null;
  private child: Ssh | null = null;
  private askpass: Askpass | null = null;
  /** What ssh has said, without its debugging. */
  private said: string[] = [];
  /** Host keys that were confirmed lie here first, and go to the user's own file if they are to stay. */
  private readonly newKeys: string;
  private keepsNewKeys = true;

  constructor(
    private readonly settings: SshSettings,
    private readonly configFile: string | undefined,
    private readonly options: LinkOptions,
    private readonly folder: string,
  ) {
    this.newKeys = join(folder, 'known_hosts');
    this.life.watch(() => void this.clean());
  }

  /** Starts ssh and waits until it has been let in. */
  async connect(): Promise<void> {
    const { settings, options } = this;
    const ready = later<void>();
    const deadline = new Deadline(options.connectTimeout * 1_000, () =>
      ready.reject(unreachable(settings, `it has not let us in within ${options.connectTimeout} s`)),
    );
    const abort = (): void => ready.reject(options.signal.reason as Error);
    options.signal.addEventListener('abort', abort);
    const { prompter, keep } = remembering(deadline.excluding(options.prompter), options.memory);
    try {
      this.askpass = await serveAskpass(this.folder, {
        host: settings.target,
        user: settings.user,
        prompter,
        trusts: (type, fingerprint, question) => this.trusts(type, fingerprint, question, prompter.hostKey),
        log: options.log,
      });
      const child = this.start({ ...this.askpass.env, [folderVariable]: this.folder });
      child.once('error', (error) => ready.reject(notStarted(settings, error)));
      child.once('close', () => {
        this.life.end(this.said.at(-1) ?? 'the host has closed the connection');
        ready.reject(this.explain());
      });
      child.stdout.once('data', () => ready.resolve());
      await ready.promise;
      keep();
      this.said = [];
      this.mux = await this.openMux(child);
      this.life.watch(() => this.mux?.abandon(this.lost()));
      await this.keepNewKeys();
    } finally {
      deadline.stop();
      options.signal.removeEventListener('abort', abort);
    }
  }

  private async openMux(child: Ssh): Promise<Mux> {
    try {
      return await Mux.connect(join(this.folder, 'socket'), () => child.kill());
    } catch (error) {
      throw unreachable(this.settings, (error as Error).message);
    }
  }

  private start(added: NodeJS.ProcessEnv): Ssh {
    const { env } = this.options;
    const child = spawn('ssh', this.arguments(), {
      // Not in our process group: a terminal's signals are not for it.
      detached: true,
      // Without a display, versions before 8.4 ask nobody.
      env: { DISPLAY: ':', ...env, ...added },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child = child;
    // It may end before it reads.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stderr }).on('line', (line) => {
      const version = /^debug1: .*remote software version (\S+)/.exec(line)?.[1];
      // The host itself comes last, after those on the way to it.
      const identity = /^debug1: Server accepts key: (.+?)(?: SHA256:\S+.*)?$/.exec(line)?.[1];
      const method = /^Authenticated to .* using "(?!publickey)(\S+)"/.exec(line)?.[1];
      this.identity = identity ?? method ?? this.identity;
      if (version !== undefined) this.serverVersion = version;
      else if (!noise.test(line)) this.said = [...this.said.slice(-mostSaid), line.trim()];
    });
    return child;
  }

  private arguments(): string[] {
    const { settings, options } = this;
    const { host, user, port } = parseTarget(settings.target);
    // ssh reads tokens in paths, and several paths in a value.
    const literal = (path: string): string => path.replaceAll('%', '%%');
    const knownHosts = [this.newKeys, ...settings.userKnownHostsFiles].map((file) => `"${literal(file)}"`);
    const set = [
      `ControlPath=${literal(join(this.folder, 'socket'))}`,
      'ControlMaster=yes',
      'ControlPersist=no',
      'PermitLocalCommand=yes',
      `LocalCommand=${localCommand}`,
      `ServerAliveInterval=${Math.max(1, Math.round(options.keepalive.interval))}`,
      `ServerAliveCountMax=${options.keepalive.count}`,
      `ConnectTimeout=${Math.max(1, Math.round(options.connectTimeout))}`,
      `UserKnownHostsFile=${knownHosts.join(' ')}`,
      'UpdateHostKeys=no',
      'ClearAllForwardings=yes',
      'ForwardAgent=no',
      'ForwardX11=no',
      'RemoteCommand=none',
    ];
    return [
      // The version of the host's sshd is in what -v says.
      '-v',
      '-N',
      '-T',
      ...(this.configFile ? ['-F', this.configFile] : []),
      ...set.flatMap((option) => ['-o', option]),
      ...(user === null ? [] : ['-l', user]),
      ...(port === null ? [] : ['-p', String(port)]),
      '--',
      host,
    ];
  }

  private async trusts(
    type: string,
    fingerprint: string,
    question: string,
    ask: (question: { host: string; type: string; fingerprint: string }) => Promise<string>,
  ): Promise<boolean> {
    const { settings, options } = this;
    const { host, port } = keyName(settings);
    const remembered = `${hostName(host, port)} ${fingerprint}`;
    const isJump = settings.jumps.length > 0 && !question.includes(`'${hostName(host, port)}`);
    const isAccepted = !isJump && options.memory.hostKeys.has(remembered);
    const answer = isAccepted ? 'once' : await ask({ host: settings.target, type, fingerprint });
    if (answer === 'once') {
      // What ssh accepts for a host on the way, it accepts for ever.
      if (isJump) return false;
      options.memory.hostKeys.add(remembered);
      this.keepsNewKeys = false;
    }
    return answer !== 'refuse';
  }

  private async keepNewKeys(): Promise<void> {
    const { settings, options } = this;
    const lines = await readFile(this.newKeys, 'utf8').catch(() => '');
    const file = settings.userKnownHostsFiles[0];
    if (!this.keepsNewKeys || lines === '' || file === undefined) return;
    await appendLines(file, lines).then(
      () => options.log(`added the host key of ${settings.target} to ${file}`),
      (error: Error) => options.log(`the host key of ${settings.target} was not kept: ${error.message}`),
    );
  }

  /** What went wrong before ssh was let in. */
  private explain(): VbatchError {
    const { settings, said } = this;
    const text = said.join('\n');
    const offending = /^Offending (\S+) key in (.+):(\d+)$/m.exec(text);
    const shown = /fingerprint for the (\S+) key[^]*?(SHA256:[\w+/]+)/.exec(text);
    if (offending) {
      const [, , file = '', line = ''] = offending;
      const key = shown ? `${shown[1]} ${shown[2]}` : 'another key';
      return changedKey(settings, key, { file, line: Number(line) });
    }
    if (/verification failed|marked as revoked/i.test(text)) {
      const which = said.find((line) => /revoked|No .* host key is known/i.test(line));
      return new VbatchError(
        'refused',
        `The host key of ${settings.target} (${address(settings)}) is not accepted` +
          `${which ? `: ${which.replace(/\.$/, '')}` : ''}. Confirm it once with: ssh ${settings.target}`,
      );
    }
    const denied = said.find((line) => /permission denied|too many authentication failures/i.test(line));
    if (denied !== undefined) {
      return new VbatchError(
        'refused',
        `${address(settings)} does not let us in: ${denied} See whether "ssh ${settings.target}" gets in.`,
      );
    }
    return unreachable(settings, said.at(-1) ?? 'ssh has ended without a word');
  }

  private lost(): VbatchError {
    return new VbatchError(
      'unreachable',
      `The connection to ${this.settings.target} is over: ${this.life.over}.`,
    );
  }

  async open(request: ChannelRequest): Promise<SshChannel> {
    if (this.life.over !== null || this.mux === null) throw this.lost();
    try {
      return await this.mux.open(request);
    } catch (error) {
      if (!(error instanceof ChannelFailure)) throw error;
      if (error.reason !== null && noRoomReasons.has(error.reason)) throw new NoRoom(error.message);
      throw refusedRequest(this.settings.target, request);
    }
  }

  close(): void {
    this.life.end('it was closed');
    this.mux?.close();
    this.child?.stdin.end();
    this.child?.kill();
  }

  private async clean(): Promise<void> {
    this.askpass?.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function notStarted({ target }: SshSettings, error: Error): VbatchError {
  return new VbatchError(
    'configuration',
    `${target} is reached by the system's own ssh, which cannot be started (${error.message}): ` +
      "install OpenSSH's client.",
  );
}
