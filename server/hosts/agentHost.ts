/** A host whose tasks an agent runs: everything that does not depend on how its machine is reached. */
import type { Readable } from 'node:stream';
import type { Shape } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { Finding, Pruned, Question } from '../protocol/hosts.ts';
import type { HostEvent, StreamKey } from './agent/events.ts';
import { AgentKeeper, localRetries, type Retries } from './agent/keeper.ts';
import { beatOrder, becomeAgent, inputOrder } from './agent/orders.ts';
import { type AgentListener, type AgentProcess, startAgent } from './agent/process.ts';
import { Attempts } from './attempts.ts';
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
import type { Logs } from './logs.ts';
import type { Machine, Site } from './machine.ts';
import { Presence } from './presence.ts';
import { pruneMachine } from './prune.ts';
import type { Questions } from './questions.ts';
import { Terminals } from './terminals.ts';
import { Typing } from './typing.ts';

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
  private readonly attempts: Attempts;
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
  private get present(): Present | null {
    return this.presence.value;
  }

  constructor(private readonly options: AgentHostOptions) {
    this.name = options.name;
    this.calls = new NestedCalls((call) => this.reports?.call(call), options.log);
    this.terminals = new Terminals((key, bytes) => options.logs.append(key, bytes), options.log);
    this.attempts = new Attempts({
      name: options.name,
      logs: options.logs,
      calls: this.calls,
      terminals: this.terminals,
      typing: this.typing,
      send: (order) => this.present?.agent.send(order),
    });
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
    this.attempts.open(reports);
    if (this.isLetGo) this.gone(this.letGoError());
    this.keeper.open();
    this.sweeper = setInterval(() => this.attempts.sweep(), this.options.sweepInterval ?? 10_000);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.attempts.close();
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
    if (present) this.attempts.start(order, present.launcher, () => this.present === present);
  }

  stop(key: AttemptKey, graceSeconds: number): void {
    if (this.present) this.attempts.stop(key, graceSeconds);
  }

  check(key: AttemptKey): void {
    this.attempts.check(key);
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

  forget(keys: readonly AttemptKey[]): Promise<void> {
    return this.attempts.forget(keys);
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
    this.options.logs.attach(site, (keys) => this.attempts.discard(keys));
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
    this.attempts.gone();
    if (!this.isClosed) this.reports?.offline(why.message);
    this.connecting.failed(why);
  }

  private heard(event: HostEvent): void {
    if (!this.reports) return;
    switch (event.type) {
      case 'started':
      case 'ended':
      case 'stopped':
      case 'unable':
      case 'lost':
      case 'absent':
        this.attempts.heard(event);
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
    if (this.attempts.isStopping(call)) this.answer(call, { exitCode: 143, stdout: '', stderr: '' });
    else this.calls.leave(call);
  }

  private handOverOf(of: StreamKey): Pick<HandOver, 'took' | 'deaf'> {
    return of.endsWith(' stdin') ? this.typing.pieces : this.calls;
  }
}
