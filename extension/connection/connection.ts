/** The window's connection to the server, shared by all rooms of the extension. */
import { mkdirSync, watch } from 'node:fs';
import * as vscode from 'vscode';
import type { Client } from '../../server/client/client.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import { EventStream } from '../../server/client/events.ts';
import { connect, isAlive } from '../../server/client/launch.ts';
import { readDiscovery, stateFolder } from '../../server/protocol/discovery.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { version } from '../../server/version.ts';
import { type ConnectionState, Link } from './link.ts';
import { serverEnvironment } from './serverEnvironment.ts';

export type { ConnectionState } from './link.ts';

/** What rooms share. Made in extension.ts. */
export interface Parts {
  readonly connection: Connection;
  readonly log: vscode.LogOutputChannel;
}

/** How long a server that was asked to stop may take. */
const stopMs = 30_000;

export class Connection implements vscode.Disposable {
  private readonly states = new vscode.EventEmitter<ConnectionState>();
  private readonly events = new vscode.EventEmitter<StreamEvent>();
  private readonly link: Link;
  private watcher: vscode.Disposable | null = null;

  readonly onDidChangeState = this.states.event;
  /** The one event stream of this window. `reset` begins a whole new picture. */
  readonly onDidReceive = this.events.event;
  /** The state folder: one server for all windows and terminals of this user. */
  readonly home = stateFolder(process.env);

  /** @param serverFile the bundled server. */
  constructor(
    private readonly serverFile: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.link = new Link({
      open: (start) => this.open(start, version),
      published: () => readDiscovery(this.home),
      stream: (client, listener) => new EventStream({ locate: () => client.locate(), below: null, listener }),
      permit: requireTrust,
      changed: (state) => {
        this.log.info(state.kind === 'lost' ? `lost: ${state.reason}` : state.kind);
        this.states.fire(state);
      },
      received: (event) => this.events.fire(event),
    });
  }

  get state(): ConnectionState {
    return this.link.state;
  }

  /** A client of the running server; starts one where there is none, never in an untrusted workspace. */
  async client(): Promise<Client> {
    return this.link.client();
  }

  /** A client of the server that runs, for what nobody has wished for: it starts none after one was stopped. */
  async running(): Promise<Client> {
    if (readDiscovery(this.home) === null) {
      throw new VbatchError(
        'noServer',
        vscode.l10n.t('No vbatch server runs; the command "vbatch: Start Server" starts one.'),
      );
    }
    return this.client();
  }

  /** Joins the server that runs, and the next one whoever starts it. To be called once the rooms listen. */
  begin(): void {
    if (!vscode.workspace.isTrusted || this.watcher !== null) return;
    try {
      mkdirSync(this.home, { recursive: true, mode: 0o700 });
      const watcher = watch(this.home, () => void this.link.join());
      watcher.on('error', (error) => this.log.warn(`${this.home} cannot be watched: ${error.message}`));
      this.watcher = { dispose: () => watcher.close() };
    } catch (error) {
      this.log.warn(`${this.home} cannot be watched: ${(error as Error).message}`);
    }
    void this.link.join();
  }

  /** Ends the server of whichever version runs, and starts this version's. Running tasks go on. */
  async restart(): Promise<void> {
    await this.stop();
    await this.client();
  }

  /** Ends the server, if one runs. Running tasks go on, and the next server takes them up. */
  async stop(): Promise<void> {
    requireTrust();
    const published = readDiscovery(this.home);
    if (published === null || !isAlive(published.pid)) return;
    const client = await this.open(false, null);
    const pid = await client.stop();
    client.close();
    const deadline = Date.now() + stopMs;
    while (isAlive(pid)) {
      if (Date.now() > deadline) {
        throw new VbatchError(
          'noServer',
          vscode.l10n.t('The server (process {0}) has not ended after 30 s.', pid),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Somebody may have wished for the next one meanwhile.
    if (readDiscovery(this.home) === null) this.link.forget();
  }

  dispose(): void {
    this.watcher?.dispose();
    this.link.close();
    this.states.dispose();
    this.events.dispose();
  }

  private open(start: boolean, wanted: string | null): Promise<Client> {
    const env = serverEnvironment(process.env);
    return connect(this.home, env, { start, serverFile: this.serverFile, version: wanted });
  }
}

/** Throws where the workspace is not trusted: nothing of it may run, nor anything for it. */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new VbatchError(
    'refused',
    vscode.l10n.t('vbatch runs nothing in a folder that is not trusted; trust it first.'),
  );
}
