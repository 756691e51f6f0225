/** What a person does with hosts: connects, checks and tidies them. */
import type { HostEntry } from '../config/schema.ts';
import type { State } from '../model/state.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { AnswerRequest, ConnectResponse, HostReport, HostWritten, Pruned } from '../protocol/hosts.ts';
import { closest } from '../protocol/nearest.ts';
import type { HostView } from '../protocol/tasks.ts';
import type { Fleet, HostState } from './fleet.ts';
import type { HostFile } from './hostFile.ts';
import { hostViews } from './hostViews.ts';
import { parseKey } from './logs.ts';
import type { Rooms } from './rooms.ts';

/** What the edges may ask about hosts. Expected failures are thrown as `VbatchError`. */
export interface HostService {
  /**
   * Connects at once, and waits for what comes of it: it is online, or somebody must answer first. Throws why it
   * cannot be reached, or when `signal` aborts. `workspace` is where the host may be named, besides the user's file.
   */
  connect(name: string, workspace: string | null, signal: AbortSignal): Promise<ConnectResponse>;
  /** Answers a question, and waits for what comes next as `connect` does. */
  answer(name: string, request: AnswerRequest, signal: AbortSignal): Promise<ConnectResponse>;
  /** Writes a host into the user's configuration file. Throws what `HostFile.add` throws. */
  add(name: string, entry: HostEntry): Promise<HostWritten>;
  /**
   * Takes a host out of the user's configuration file. Throws `refused` while tasks run there, unless forced: then
   * they go on, and the host goes when they have ended.
   */
  remove(name: string, force: boolean): Promise<HostWritten>;
  /** Lets go of a host until `connect`. Attempts go on. */
  disconnect(name: string): Promise<HostView>;
  /** Looks at everything that matters on the way to a host and on it. */
  check(name: string, workspace: string | null, signal: AbortSignal): Promise<HostReport>;
  /** Removes what nothing needs any more, and these folders of other servers. */
  prune(name: string, folders: readonly string[]): Promise<Pruned>;
}

export interface HostActionsParts {
  state: State;
  fleet: Fleet;
  rooms: Rooms;
  file: HostFile;
}

export class HostActions implements HostService {
  constructor(private readonly parts: HostActionsParts) {}

  async connect(name: string, workspace: string | null, signal: AbortSignal): Promise<ConnectResponse> {
    const state = await this.find(name, workspace);
    this.parts.fleet.takeHold(state);
    const question = await state.host.connect(signal);
    return { host: this.view(name), question };
  }

  async answer(name: string, { id, answer }: AnswerRequest, signal: AbortSignal): Promise<ConnectResponse> {
    const state = await this.find(name, null);
    const question = await state.host.answerQuestion(id, answer, signal);
    if (question === null) this.retryLocked();
    return { host: this.view(name), question };
  }

  /** A key that has been opened for one host may be what others are waiting for. */
  private retryLocked(): void {
    for (const { host, online, isLetGo } of this.parts.rooms.hosts.values()) {
      if (!online && !isLetGo && host.question?.kind === 'passphrase') host.retry();
    }
  }

  async add(name: string, entry: HostEntry): Promise<HostWritten> {
    const { file, rooms } = this.parts;
    const changed = await file.add(name, entry);
    await rooms.refresh(null);
    return { file: file.path, changed };
  }

  async remove(name: string, force: boolean): Promise<HostWritten> {
    const { file, rooms, state } = this.parts;
    const running = state.holdings.get(name)?.tasks.size ?? 0;
    if (running > 0 && !force) {
      const tasks = running === 1 ? '1 task runs' : `${running} tasks run`;
      const advice = 'wait, or take it out all the same with --force, and they go on';
      throw new VbatchError('refused', `${tasks} on ${name}: ${advice}`);
    }
    file.remove(name);
    await rooms.refresh(null);
    return { file: file.path, changed: true };
  }

  async disconnect(name: string): Promise<HostView> {
    const state = await this.find(name, null);
    if (!this.parts.fleet.isRemote(name)) {
      throw new VbatchError('refused', `${name} is this machine; "vctl server stop" lets go of it.`);
    }
    this.parts.fleet.letGo(state);
    return this.view(name);
  }

  async check(name: string, workspace: string | null, signal: AbortSignal): Promise<HostReport> {
    const { host } = await this.find(name, workspace);
    const configured = this.parts.rooms.settingsOf(name, workspace)?.shape ?? {};
    return { host: name, findings: await host.examine(configured, signal) };
  }

  async prune(name: string, folders: readonly string[]): Promise<Pruned> {
    const { host } = await this.find(name, null);
    const { state } = this.parts;
    const isKnown = (key: string) => {
      const { task, attempt } = parseKey(key);
      return state.tasks.get(task)?.attempts[attempt - 1] !== undefined;
    };
    return await host.prune({ isKnown, folders });
  }

  /** A host by its name, also one that has just been written into a file. Throws `notFound`. */
  private async find(name: string, workspace: string | null): Promise<HostState> {
    const { rooms, file } = this.parts;
    await rooms.refresh(null);
    if (workspace !== null) await rooms.refresh(workspace);
    const found = rooms.hosts.get(name);
    if (found !== undefined) return found;
    const near = closest(name, rooms.hosts.keys());
    const advice = `${file.path} does not name it; "vctl host add ${name}" does that, or did you mean ${near}?`;
    throw new VbatchError('notFound', `there is no host ${JSON.stringify(name)}: ${advice}`);
  }

  private view(name: string): HostView {
    const { state, rooms } = this.parts;
    const view = hostViews(state, rooms).find((each) => each.name === name);
    if (view === undefined) {
      throw new VbatchError('notFound', `the host ${JSON.stringify(name)} has just been removed`);
    }
    return view;
  }
}
