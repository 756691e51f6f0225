/** A Host that starts nothing: it notes its orders, and a test says what came of them. */
import type { Readable } from 'node:stream';
import type {
  AttemptKey,
  CallAnswer,
  CallKey,
  Host,
  HostFacts,
  HostReports,
  LogStream,
  LogStretch,
  NestedCall,
  StartOrder,
} from '../../server/hosts/host.ts';

export const someFacts: HostFacts = { cpus: 4, memory: 8 * 1024 ** 3, gpus: [] };

export class FakeHost implements Host {
  /** Every order, such as `start 1.1` or `stop 1.1`, in the order in which they came. */
  readonly orders: string[] = [];
  readonly starts: StartOrder[] = [];
  /** Answers to calls, as `KEY EXITCODE STDOUT`. */
  readonly answers: string[] = [];
  /** What was fed to calls, by `KEY STREAM`. */
  readonly fed = new Map<string, string>();
  /** Resolves before each reading of a log goes on; a test may hold it up. */
  beforeRead: () => Promise<void> = async () => {};
  private readonly logs = new Map<string, string>();
  private readonly stretches = new Map<AttemptKey, LogStretch[]>();
  private readonly watchers = new Set<() => void>();
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
    const before = this.logs.get(`${key} ${stream}`) ?? '';
    this.logs.set(`${key} ${stream}`, before + text);
    const stretch = { stream, offset: before.length, length: text.length };
    this.stretches.set(key, [...(this.stretches.get(key) ?? []), stretch]);
    for (const changed of this.watchers) changed();
  }

  end(key: AttemptKey, exitCode = 0, signal: string | null = null): void {
    this.reports.ended(key, { exitCode, signal, reason: null });
  }

  call(attempt: AttemptKey, name: string, program: NestedCall['program'], ...args: string[]): void {
    const environment = { set: {}, unset: [] };
    this.reports.call({
      key: `${attempt}/${name}`,
      attempt,
      program,
      args,
      directory: '/',
      environment,
      variables: new Map(),
    });
  }

  open(reports: HostReports): void {
    this.told = reports;
  }

  async close(): Promise<void> {}

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

  async logSize(key: AttemptKey, stream: LogStream): Promise<number> {
    return (this.logs.get(`${key} ${stream}`) ?? '').length;
  }

  async readLog(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer> {
    const found = (this.logs.get(`${key} ${stream}`) ?? '').slice(offset, offset + length);
    await this.beforeRead();
    return Buffer.from(found);
  }

  async logOrder(key: AttemptKey): Promise<LogStretch[]> {
    const found = [...(this.stretches.get(key) ?? [])];
    await this.beforeRead();
    return found;
  }

  watchLog(_key: AttemptKey, changed: () => void): () => void {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }

  async input(key: AttemptKey, offset: number, bytes: Buffer, end: boolean): Promise<boolean> {
    this.orders.push(`input ${key} ${offset} ${bytes.toString()}${end ? ' end' : ''}`);
    return !end;
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

  hasWholeLog(): boolean {
    return true;
  }

  settled(): void {}

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) this.orders.push(`forget ${key}`);
  }
}
