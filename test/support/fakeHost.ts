/** A Host that starts nothing: it notes its orders, and a test says what came of them. */
import type { Readable } from 'node:stream';
import type {
  AttemptKey,
  BesideOrder,
  CallAnswer,
  CallKey,
  Host,
  HostFacts,
  HostLogs,
  HostReports,
  Leavings,
  LogStream,
  LogStretch,
  NestedCall,
  Seat,
  StartOrder,
  Viewer,
} from '../../server/hosts/host.ts';
import type { Shape } from '../../server/model/task.ts';
import type { Finding, Pruned, Question } from '../../server/protocol/hosts.ts';

export const someFacts: HostFacts = { cpus: 4, memory: 8 * 1024 ** 3, gpus: [], address: 'here' };

export class FakeHost implements Host {
  readonly workspace = null;
  /** Every order, such as `start 1.1` or `stop 1.1`, in the order in which they came. */
  readonly orders: string[] = [];
  readonly starts: StartOrder[] = [];
  /** Answers to calls, as `KEY EXITCODE STDOUT`. */
  readonly answers: string[] = [];
  /** What was fed to calls, by `KEY STREAM`. */
  readonly fed = new Map<string, string>();
  /** Resolves before each reading of a log goes on; a test may hold it up. */
  beforeRead: () => Promise<void> = async () => {};
  private readonly written = new Map<string, string>();
  private readonly stretches = new Map<AttemptKey, LogStretch[]>();
  private readonly watchers = new Set<() => void>();
  /** Who looks at which attempt's terminal. A test says which attempts have one. */
  readonly terminals = new Map<AttemptKey, Set<Viewer>>();
  private told: HostReports | null = null;

  constructor(readonly name = 'local') {}

  /** By this a test reports. */
  get reports(): HostReports {
    if (this.told === null) throw new Error('the host has not been opened');
    return this.told;
  }

  /** How many watch a log. */
  get watching(): number {
    return this.watchers.size;
  }

  /** Takes the orders so far. */
  takeOrders(): string[] {
    return this.orders.splice(0);
  }

  write(key: AttemptKey, stream: LogStream, text: string): void {
    const before = this.written.get(`${key} ${stream}`) ?? '';
    this.written.set(`${key} ${stream}`, before + text);
    const stretch = { stream, offset: before.length, length: text.length };
    this.stretches.set(key, [...(this.stretches.get(key) ?? []), stretch]);
    for (const changed of this.watchers) changed();
  }

  end(key: AttemptKey, exitCode = 0, signal: string | null = null): void {
    this.reports.ended(key, { exitCode, signal, reason: null });
  }

  /** Returns what tells the calling process to end. */
  call(attempt: AttemptKey, name: string, program: NestedCall['program'], ...args: string[]): () => void {
    const environment = { set: {}, unset: [] };
    const gone = new AbortController();
    this.reports.call({
      key: `${attempt}/${name}`,
      attempt,
      program,
      args,
      directory: '/',
      environment,
      variables: new Map(),
      gone: gone.signal,
    });
    return () => gone.abort();
  }

  open(reports: HostReports): void {
    this.told = reports;
  }

  async close(): Promise<void> {}

  /** What the next question is, or why the host cannot be reached; null for online. */
  asking: (answer?: string | null) => Promise<Question | null> = async () => null;
  question: Question | null = null;

  async connect(): Promise<Question | null> {
    this.orders.push('connect');
    return this.asking();
  }

  async answerQuestion(id: string, answer: string | null): Promise<Question | null> {
    this.orders.push(`answer ${id} ${answer}`);
    return this.asking(answer);
  }

  retry(): void {
    this.orders.push('retry');
  }

  disconnect(): void {
    this.orders.push('disconnect');
  }

  async examine(configured: Partial<Shape>): Promise<Finding[]> {
    return [{ topic: 'room', status: 'ok', text: JSON.stringify(configured), fix: null }];
  }

  async prune({ isKnown, folders }: Leavings): Promise<Pruned> {
    const attempts = this.leftovers.filter((key) => !isKnown(key)).length;
    const none = { versions: 0, environments: 0, others: [] };
    return { freed: attempts * 1024, attempts, folders: folders.length, ...none };
  }

  /** Attempts of which there are files. */
  leftovers: AttemptKey[] = [];

  async loginEnvironment(): Promise<ReadonlyMap<string, string>> {
    return new Map();
  }

  start(order: StartOrder): void {
    this.starts.push(order);
    this.orders.push(`start ${order.key}`);
  }

  stop(key: AttemptKey): void {
    this.orders.push(`stop ${key}`);
  }

  check(key: AttemptKey): void {
    this.orders.push(`check ${key}`);
  }

  readonly logs: HostLogs = {
    size: async (key, stream) => (this.written.get(`${key} ${stream}`) ?? '').length,
    read: async (key, stream, offset, length) => {
      const found = (this.written.get(`${key} ${stream}`) ?? '').slice(offset, offset + length);
      await this.beforeRead();
      return Buffer.from(found);
    },
    order: async (key) => {
      const found = [...(this.stretches.get(key) ?? [])];
      await this.beforeRead();
      return found;
    },
    watch: (_key, changed) => {
      this.watchers.add(changed);
      return () => this.watchers.delete(changed);
    },
    isWhole: () => true,
    isComplete: () => true,
  };

  async input(key: AttemptKey, offset: number, bytes: Buffer, end: boolean): Promise<boolean> {
    this.orders.push(`input ${key} ${offset} ${bytes.toString()}${end ? ' end' : ''}`);
    return !end;
  }

  attend(key: AttemptKey, viewer: Viewer): Seat | null {
    const viewers = this.terminals.get(key);
    if (viewers === undefined) return null;
    viewers.add(viewer);
    return this.seat(key, () => viewers.delete(viewer));
  }

  async openBeside({ key, directory, command, terminal }: BesideOrder): Promise<Seat> {
    const { term, rows, columns } = terminal;
    this.orders.push(`beside ${key} in ${directory}: ${command?.join(' ')} (${term} ${columns}x${rows})`);
    return this.seat(`beside ${key}`, () => this.orders.push(`leave beside ${key}`));
  }

  private seat(what: string, leave: () => void): Seat {
    return {
      input: async (bytes) => void this.orders.push(`type ${what} ${bytes.toString()}`),
      resize: ({ rows, columns }) => this.orders.push(`resize ${what} ${columns}x${rows}`),
      leave,
    };
  }

  async readHead(): Promise<Buffer | null> {
    return null;
  }

  async feed(call: CallKey, stream: LogStream, source: Readable): Promise<void> {
    for await (const data of source) {
      this.fed.set(`${call} ${stream}`, (this.fed.get(`${call} ${stream}`) ?? '') + String(data));
    }
  }

  answer(call: CallKey, { exitCode, stdout }: CallAnswer): void {
    this.answers.push(`${call} ${exitCode} ${stdout.trim()}`);
  }

  settled(): void {}

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) this.orders.push(`forget ${key}`);
  }
}

/** Logs of a host that is not there any more, of which nothing has been brought here. */
export function noLogs(): HostLogs & { forget(): Promise<void> } {
  return { ...new FakeHost().logs, forget: () => Promise.resolve() };
}
