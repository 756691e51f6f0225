/** A host whose tasks an agent runs: everything that does not depend on how its machine is reached. */
import type { Readable } from 'node:stream';
import type { Exit, Shape } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { Finding, Pruned, Question } from '../protocol/hosts.ts';
import { exitOf, type HostEvent, type StreamKey } from './agent/events.ts';
import { AgentKeeper, localRetries, type Retries } from './agent/keeper.ts';
import {
  beatOrder,
  becomeAgent,
  checkOrder,
  forgetOrder,
  hangUpOrder,
  inputOrder,
  stopOrder,
  sweepOrder,
} from './agent/orders.ts';
import { type AgentListener, type AgentProcess, startAgent } from './agent/process.ts';
import { NestedCalls } from './calls.ts';
import { Connecting } from './connecting.ts';
import { GpuWatch } from './gpuWatch.ts';
import type { HandOver } from './handOver.ts';
import type {
  AttemptKey,
  BesideOrder,
  CallAnswer,
  CallKey,
  Host,
  HostLogs,
  HostReports,
  HostWorkspace,
  Leavings,
  LogStream,
  Seat,
  StartOrder,
  Viewer,
} from './host.ts';
import { Launcher } from './launcher.ts';
import { streams } from './logOrder.ts';
import type { Logs } from './logs.ts';
import type { Machine, Site } from './machine.ts';
import { Presence } from './presence.ts';
import { pruneMachine } from './prune.ts';
import type { Questions } from './questions.ts';
import { Terminals } from './terminals.ts';
import { Typing } from './typing.ts';
import { startFailure, unableExit } from './unable.ts';

export interface AgentHostOptions {
  name: string;
  machine: Machine;
  logs: Logs;
  log: (message: string) => void;
  /** Milliseconds between two looks for attempts that have died without a word. */
  sweepInterval?: number;
  /** Milliseconds between two looks at who uses the GPUs. */
  gpuInterval?: number;
  /** What reaching the machine may ask of a person. */
  questions?: Questions;
  retries?: Retries;
}

/** How many attempts one order sweeps or forgets, so that others get their turn. */
const batchSize = 100;
/** How many signs of life an agent gets during its lease. */
const beatsPerLease = 5;

/** An agent that is ready for orders, and what it runs on. */
interface Present {
  agent: AgentProcess;
  site: Site;
  launcher: Launcher;
}

export class AgentHost implements Host {
  readonly name: string;
  private readonly calls: NestedCalls;
  private readonly typing = new Typing((key, line) => this.present?.agent.send(inputOrder(key, line)));
  private readonly terminals: Terminals;
  private readonly gpus: GpuWatch;
  private readonly keeper: AgentKeeper;
  private readonly connecting: Connecting;
  private isClosed = false;
  private isLetGo = false;
  private heart: NodeJS.Timeout | null = null;
  private sweeper: NodeJS.Timeout | null = null;
  private reports: HostReports | null = null;
  private readonly presence = new Presence<Present>();
  /** The site of the agent that is being started or runs. */
  private site: Site | null = null;
  /** The site that comes first, for those who wait for it. */
  private readonly firstSite: Promise<Site>;
  private resolveFirstSite: (site: Site) => void = () => {};
  /** Attempts that run, as far as is known. */
  private readonly live = new Set<AttemptKey>();
  /** Attempts whose end is told only when the stop has left nothing of them. */
  private readonly stopping = new Set<AttemptKey>();

  private get present(): Present | null {
    return this.presence.value;
  }

  constructor(private readonly options: AgentHostOptions) {
    this.name = options.name;
    this.calls = new NestedCalls((call) => this.reports?.call(call), options.log);
    this.terminals = new Terminals((key, bytes) => options.logs.append(key, bytes), options.log);
    this.gpus = new GpuWatch((use) => this.reports?.gpuUse(use), options.gpuInterval);
    this.firstSite = new Promise((resolve) => {
      this.resolveFirstSite = resolve;
    });
    const { name, log, questions = null, retries = localRetries } = options;
    this.keeper = new AgentKeeper(
      (listener, signal) => this.startAgent(listener, signal),
      {
        ready: (agent) => this.ready(agent),
        event: (event) => this.heard(event),
        gone: (why) => this.gone(why),
        log,
      },
      retries,
    );
    const isOnline = () => this.present !== null;
    const retry = () => this.reach();
    this.connecting = new Connecting({ name, questions, isOnline, retry });
    questions?.watch(() => {
      this.connecting.asks();
      this.reports?.asks();
    });
  }

  open(reports: HostReports): void {
    this.reports = reports;
    if (this.isLetGo) this.gone(this.letGoError());
    this.keeper.open();
    this.sweeper = setInterval(() => this.sweep(), this.options.sweepInterval ?? 10_000);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.sweeper) clearInterval(this.sweeper);
    const hungUp = this.terminals.close();
    // Over a connection that hangs, what was hung up is over only with that.
    await this.keeper.close();
    await hungUp;
    await this.options.logs.close();
  }

  get logs(): HostLogs {
    return this.options.logs;
  }

  get workspace(): HostWorkspace | null {
    return this.present?.site.workspace ?? null;
  }

  get question(): Question | null {
    return this.options.questions?.wanted ?? null;
  }

  connect(signal: AbortSignal): Promise<Question | null> {
    return this.connecting.connect(signal);
  }

  answerQuestion(id: string, answer: string | null, signal: AbortSignal): Promise<Question | null> {
    return this.connecting.answer(id, answer, signal);
  }

  retry(): void {
    if (!this.isLetGo && !this.options.questions?.isAttended) this.keeper.retry();
  }

  disconnect(): void {
    this.isLetGo = true;
    this.keeper.letGo(this.letGoError());
  }

  examine(configured: Partial<Shape>, signal: AbortSignal): Promise<Finding[]> {
    return this.options.machine.check(configured, signal);
  }

  prune(leavings: Leavings): Promise<Pruned> {
    return pruneMachine(this.options, leavings);
  }

  async loginEnvironment(): Promise<ReadonlyMap<string, string>> {
    return (await (await this.firstSite).login).environment;
  }

  start(order: StartOrder): void {
    const { present } = this;
    if (!present) return;
    present.launcher.launch(order).catch((error: Error) => {
      // What a lost connection has kept from being written is ordered again when it is back.
      if (this.present === present) this.finish(order.key, startFailure(this.name, error), []);
    });
  }

  stop(key: AttemptKey, graceSeconds: number): void {
    if (!this.present) return;
    this.stopping.add(key);
    this.terminals.clear(key);
    this.present.agent.send(stopOrder(key, graceSeconds));
  }

  check(key: AttemptKey): void {
    this.present?.agent.send(checkOrder(key));
  }

  input(key: AttemptKey, offset: number, bytes: Buffer, end: boolean): Promise<boolean> {
    return this.typing.type(key, offset, bytes, end);
  }

  attend(key: AttemptKey, viewer: Viewer): Seat | null {
    return this.terminals.attend(key, viewer);
  }

  openBeside(order: BesideOrder, viewer: Viewer): Promise<Seat> {
    return this.terminals.openBeside(this.present?.site ?? null, order, viewer);
  }

  async readHead(path: string, length: number): Promise<Buffer | null> {
    for (;;) {
      const change = this.presence.change();
      try {
        if (this.present) return await this.present.site.files.readRange(path, 0, length);
      } catch (error) {
        // What was lost with a connection can be read when there is another.
        if (!(error instanceof VbatchError) || error.code !== 'unreachable') throw error;
      }
      await change;
    }
  }

  async feed(call: CallKey, stream: LogStream, source: Readable): Promise<void> {
    try {
      await this.calls.feed(call, stream, source);
    } catch (error) {
      this.options.log(`The ${stream} of call ${call} ends early: ${(error as Error).message}`);
    }
  }

  answer(call: CallKey, answer: CallAnswer): void {
    this.calls
      .answer(call, answer)
      .catch((error: Error) => this.options.log(`Call ${call} cannot be answered: ${error.message}`));
  }

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    await this.options.logs.forget(keys);
    for (const key of keys) {
      this.calls.release(key);
      this.terminals.release(key);
    }
    this.discard(keys);
  }

  settled(key: AttemptKey): void {
    this.options.logs.settled(key);
  }

  /** Starts an agent on the machine, once that has been reached. */
  private async startAgent(listener: AgentListener, signal: AbortSignal): Promise<AgentProcess> {
    const site = await this.options.machine.reach(signal);
    this.site = site;
    this.resolveFirstSite(site);
    const firstOrder = becomeAgent({
      root: site.paths.folder,
      scripts: site.paths.scripts,
      shell: site.shell.join(' '),
      proc: site.proc,
      cookie: site.cookie,
      lease: site.lease,
    });
    return startAgent(await site.openShell(), firstOrder, listener);
  }

  private reach(): void {
    this.isLetGo = false;
    this.keeper.retry();
  }

  private letGoError(): Error {
    return new Error(`it was let go of; \`vctl host connect ${this.name}\` takes hold of it again`);
  }

  private ready(agent: AgentProcess): void {
    const { site, reports } = this;
    if (!site || !reports) return;
    this.presence.is({ agent, site, launcher: new Launcher(site, this.terminals, agent.send) });
    this.options.logs.attach(site, (keys) => this.discard(keys));
    this.calls.attach({ site, send: agent.send });
    this.typing.pieces.resume();
    if (site.lease > 0) {
      this.heart = setInterval(() => agent.send(beatOrder()), (site.lease * 1_000) / beatsPerLease);
    }
    reports.online(site.facts);
    this.gpus.attach(site, agent.send);
    if (site.attempts) reports.remaining(site.attempts);
    this.connecting.online();
  }

  private gone(why: Error): void {
    this.presence.is(null);
    if (this.heart) clearInterval(this.heart);
    this.calls.detach();
    this.gpus.detach();
    this.options.logs.detach(why.message);
    this.stopping.clear();
    if (!this.isClosed) this.reports?.offline(why.message);
    this.connecting.failed(why);
  }

  private heard(event: HostEvent): void {
    const { reports } = this;
    if (!reports) return;
    switch (event.type) {
      case 'started':
        this.live.add(event.key);
        this.options.logs.started(event.key);
        if (event.terminal && !this.terminals.has(event.key)) {
          // It was lost, but its host need not have noticed that.
          this.present?.agent.send(hangUpOrder(event.key));
        }
        reports.started(event.key);
        break;
      case 'ended':
        if (!this.stopping.has(event.key))
          this.conclude(event.key, exitOf(event.end, this.name), event.written);
        break;
      case 'stopped':
        this.stopping.delete(event.key);
        this.calls.release(event.key);
        this.conclude(event.key, exitOf(event.end, this.name), event.written);
        break;
      case 'unable':
        this.finish(event.key, unableExit(this.name, 'the disk may be full'), streams);
        break;
      case 'lost':
        if (this.stopping.has(event.key)) break;
        this.release(event.key, streams);
        this.calls.release(event.key);
        this.terminals.release(event.key);
        reports.lost(event.key);
        break;
      case 'absent':
        // A terminal that has just been opened for it stays: its start is still to come.
        this.release(event.key, streams);
        reports.absent(event.key);
        break;
      case 'call':
        this.calls.receive(event.call);
        break;
      case 'gone':
        this.leave(event.call);
        break;
      case 'answered':
        this.calls.answered(event.call);
        break;
      case 'took':
        this.handOverOf(event.of).took(event.of, event.offset);
        break;
      case 'gpus':
        void this.gpus.looked();
        break;
      case 'deaf':
        this.handOverOf(event.of).deaf(event.of);
        break;
    }
  }

  /** The process of a call was told to end, perhaps because all of its attempt is being stopped. */
  private leave(call: CallKey): void {
    const isStopping = this.stopping.has(call.slice(0, call.indexOf('/')));
    if (isStopping) this.answer(call, { exitCode: 143, stdout: '', stderr: '' });
    else this.calls.leave(call);
  }

  private handOverOf(of: StreamKey): Pick<HandOver, 'took' | 'deaf'> {
    return of.endsWith(' stdin') ? this.typing.pieces : this.calls;
  }

  /** The command has ended; what it has shown in a terminal may still be on its way. */
  private conclude(key: AttemptKey, exit: Exit, written: readonly LogStream[]): void {
    if (!this.terminals.has(key)) return this.finish(key, exit, written);
    void this.terminals.drained(key).then(() => !this.isClosed && this.finish(key, exit, written));
  }

  private finish(key: AttemptKey, exit: Exit, written: readonly LogStream[]): void {
    this.release(key, written);
    this.terminals.release(key);
    this.reports?.ended(key, exit);
  }

  private release(key: AttemptKey, written: readonly LogStream[]): void {
    this.live.delete(key);
    this.options.logs.ended(key, written);
    this.calls.ended(key);
    this.typing.release(key);
  }

  /** Looks for attempts whose wrapper was killed, which nobody else would tell of. */
  private sweep(): void {
    for (const key of this.terminals.ended()) {
      // What was never heard to start has not come to that, and now never will.
      if (!this.live.has(key)) this.present?.agent.send(stopOrder(key, 0));
    }
    const keys = [...this.live];
    for (let at = 0; at < keys.length; at += batchSize) {
      this.present?.agent.send(sweepOrder(keys.slice(at, at + batchSize)));
    }
  }

  /** Has the machine remove all that it keeps of these attempts; while it is out of reach that has to wait. */
  private discard(keys: readonly AttemptKey[]): void {
    for (let at = 0; at < keys.length; at += batchSize) {
      this.present?.agent.send(forgetOrder(keys.slice(at, at + batchSize)));
    }
  }
}
