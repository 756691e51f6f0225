/** The API of the server as functions. Failures are `VbatchError` with the server's own sentence. */
import { setTimeout as sleep } from 'node:timers/promises';
import { VbatchError } from '../protocol/errors.ts';
import type {
  AddHostRequest,
  AnswerRequest,
  ConnectResponse,
  HostReport,
  HostWritten,
  Pruned,
} from '../protocol/hosts.ts';
import type {
  LogPlace,
  LogPlaceQuery,
  LogQuery,
  LogSearchMessage,
  LogSearchQuery,
} from '../protocol/logQueries.ts';
import type { LogChunk } from '../protocol/logs.ts';
import type { ListQuery, PruneRequest } from '../protocol/queries.ts';
import type { CheckoutAnswer, CheckoutRequest, RunDiff, RunFiles } from '../protocol/runs.ts';
import type {
  ActionResult,
  Explanation,
  HostView,
  PoolView,
  ServerView,
  StdinRequest,
  StdinResponse,
  SubmitRequest,
  SubmitResult,
  TaskDetail,
  TaskList,
  TaskView,
} from '../protocol/tasks.ts';
import { FrameDecoder, searchMessages } from './logs.ts';
import { type Address, type Finder, Transport } from './transport.ts';

/** How long to wait for a server that is gone before looking again. */
const pauseMs = 250;

export class Client {
  private readonly transport: Transport;

  /** @param find how to find the server again when a connection is lost; null for not at all. */
  constructor(
    address: Address,
    private readonly find: Finder | null = null,
  ) {
    this.transport = new Transport(address, find);
  }

  /** One result for each task, in order. Sent again after a lost connection if every task has a key (R4). */
  async submit(request: SubmitRequest): Promise<SubmitResult[]> {
    const repeatable = request.tasks.every((task) => task.key !== undefined);
    const options = { body: request, repeatable };
    const { results } = await this.transport.json<{ results: SubmitResult[] }>('POST', '/v1/tasks', options);
    return results;
  }

  list(query: ListQuery = {}): Promise<TaskList> {
    return this.get(`/v1/tasks${queryText(query)}`);
  }

  task(id: string): Promise<TaskDetail> {
    return this.get(taskPath(id));
  }

  /** The task and what lies below it, parents before children, up to `limit` tasks. */
  async tree(id: string, limit: number): Promise<TaskView[]> {
    return (await this.get<{ tasks: TaskView[] }>(`${taskPath(id)}/tree${queryText({ limit })}`)).tasks;
  }

  explain(id: string): Promise<Explanation> {
    return this.get(`${taskPath(id)}/explain`);
  }

  /** The task once it is done. Waits over lost connections and restarts of the server, until `signal` aborts. */
  async whenDone(id: string, signal?: AbortSignal): Promise<TaskView> {
    for (;;) {
      try {
        return await this.get(`${taskPath(id)}/wait`, signal);
      } catch (error) {
        await this.pauseAfter(error, signal);
      }
    }
  }

  /** What the task's command has written. Ends early with an error where the connection is lost. */
  async *log(id: string, query: LogQuery = {}, signal?: AbortSignal): AsyncGenerator<LogChunk> {
    const { stream = 'both' } = query;
    const arriving = this.transport.bytes(`${taskPath(id)}/log${queryText({ ...query, stream })}`, signal);
    if (stream !== 'both') {
      for await (const data of arriving) yield { stream, data };
      return;
    }
    const decoder = new FrameDecoder();
    for await (const bytes of arriving) yield* decoder.push(bytes);
    decoder.end();
  }

  /** How much an attempt has written, and where a position in both streams is. */
  logPlace(id: string, query: LogPlaceQuery = {}): Promise<LogPlace> {
    return this.get(`${taskPath(id)}/log/place${queryText({ ...query })}`);
  }

  /** Lines of an attempt's log that hold a text, as they are found. Throws why it cannot be read on. */
  async *searchLog(
    id: string,
    query: LogSearchQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<LogSearchMessage> {
    const path = `${taskPath(id)}/log/search${queryText({ ...query })}`;
    yield* searchMessages(this.transport.bytes(path, signal));
  }

  /**
   * All that the task's attempts write until it is done, each byte once, over lost connections and
   * restarts of the server. The order between the streams may differ after one.
   */
  async *followLog(id: string, signal?: AbortSignal): AsyncGenerator<LogChunk> {
    const told = { stdout: 0, stderr: 0 };
    for (;;) {
      // A followed log always begins with the first attempt, so what is known can be skipped by its length.
      const known = { ...told };
      try {
        for await (const { stream, data } of this.log(id, { follow: true }, signal)) {
          const fresh = data.subarray(known[stream]);
          known[stream] -= data.length - fresh.length;
          told[stream] += fresh.length;
          if (fresh.length > 0) yield { stream, data: fresh };
        }
        return;
      } catch (error) {
        await this.pauseAfter(error, signal);
      }
    }
  }

  /**
   * What an attempt writes until it is over, from where both streams have come to; each byte once, over lost
   * connections and restarts of the server. Waits for an attempt that is yet to begin.
   */
  async *followAttempt(
    id: string,
    attempt: number,
    before: Readonly<Record<LogChunk['stream'], number>>,
    signal?: AbortSignal,
  ): AsyncGenerator<LogChunk> {
    const told = { ...before };
    for (;;) {
      try {
        for await (const chunk of this.log(id, { attempt, follow: true, ...told }, signal)) {
          told[chunk.stream] += chunk.data.length;
          yield chunk;
        }
        return;
      } catch (error) {
        await this.pauseAfter(error, signal);
      }
    }
  }

  /** Types into a task's stdin. Asks again after a lost connection: what has arrived is not typed twice. */
  async type(id: string, request: StdinRequest, signal?: AbortSignal): Promise<StdinResponse> {
    for (;;) {
      try {
        const options = { body: request, signal, repeatable: true };
        return await this.transport.json('POST', `${taskPath(id)}/stdin`, options);
      } catch (error) {
        await this.pauseAfter(error, signal);
      }
    }
  }

  /** What a run has made of its files; with `all`, also what has not changed. */
  runFiles(id: string, all: boolean): Promise<RunFiles> {
    return this.get(`${runPath(id)}/files${queryText({ all })}`);
  }

  /** What a run was submitted with, beside another, or beside the folder as it is now. */
  runDiff(id: string, other?: string, contents = false): Promise<RunDiff> {
    return this.get(`${runPath(id)}/diff${queryText({ with: other, contents: contents || undefined })}`);
  }

  checkOut(id: string, request: CheckoutRequest): Promise<CheckoutAnswer> {
    return this.transport.json('POST', `${runPath(id)}/checkout`, { body: request, repeatable: false });
  }

  cancel(id: string): Promise<ActionResult> {
    return this.post(`${taskPath(id)}/cancel`);
  }

  hold(id: string): Promise<ActionResult> {
    return this.post(`${taskPath(id)}/hold`);
  }

  release(id: string): Promise<ActionResult> {
    return this.post(`${taskPath(id)}/release`);
  }

  /** Not sent again after a lost connection: the first may have begun something that has failed since. */
  retry(id: string): Promise<ActionResult> {
    return this.transport.json('POST', `${taskPath(id)}/retry`, { repeatable: false });
  }

  prune(request: PruneRequest): Promise<{ removed: string[] }> {
    return this.transport.json('POST', '/v1/prune', { body: request, repeatable: false });
  }

  /** The pools, with those of a workspace's own configuration where it is not null. */
  async pools(workspace: string | null): Promise<PoolView[]> {
    const query = workspace === null ? '' : queryText({ workspace });
    return (await this.get<{ pools: PoolView[] }>(`/v1/pools${query}`)).pools;
  }

  async hosts(): Promise<HostView[]> {
    return (await this.get<{ hosts: HostView[] }>('/v1/hosts')).hosts;
  }

  /** Writes a host into the user's configuration file. */
  addHost(request: AddHostRequest): Promise<HostWritten> {
    return this.transport.json('POST', '/v1/hosts', { body: request, repeatable: true });
  }

  /** Takes a host out of the user's configuration file; with `force` also while tasks run there. */
  removeHost(name: string, force: boolean): Promise<HostWritten> {
    const options = { body: { force }, repeatable: false };
    return this.transport.json('POST', `${hostPath(name)}/remove`, options);
  }

  /** Connects to a host at once. Answers when it is online, or with a question; throws why it cannot be reached. */
  connectHost(name: string, workspace: string | null, signal?: AbortSignal): Promise<ConnectResponse> {
    const options = { body: whereNamed(workspace), signal, repeatable: true };
    return this.transport.json('POST', `${hostPath(name)}/connect`, options);
  }

  /** Answers a host's question, and goes on as `connectHost` does. */
  answerHost(name: string, answer: AnswerRequest, signal?: AbortSignal): Promise<ConnectResponse> {
    const options = { body: answer, signal, repeatable: false };
    return this.transport.json('POST', `${hostPath(name)}/answer`, options);
  }

  disconnectHost(name: string): Promise<HostView> {
    return this.post(`${hostPath(name)}/disconnect`);
  }

  checkHost(name: string, workspace: string | null, signal?: AbortSignal): Promise<HostReport> {
    const options = { body: whereNamed(workspace), signal, repeatable: true };
    return this.transport.json('POST', `${hostPath(name)}/check`, options);
  }

  /** @param folders of other servers, to be removed as well. */
  pruneHost(name: string, folders: readonly string[]): Promise<Pruned> {
    const options = { body: { folders }, repeatable: false };
    return this.transport.json('POST', `${hostPath(name)}/prune`, options);
  }

  server(): Promise<ServerView> {
    return this.get('/v1/server');
  }

  /** Tells the server to end itself. Answers with its process id before it has ended. */
  async stop(): Promise<number> {
    const options = { repeatable: false };
    return (await this.transport.json<{ pid: number }>('POST', '/v1/server/stop', options)).pid;
  }

  /** An address of the graph page that lets a browser in once; with `id`, it shows that task. */
  async pageAddress(id: string | null): Promise<string> {
    const options = { repeatable: true };
    const { ticket } = await this.transport.json<{ ticket: string }>('POST', '/v1/page/ticket', options);
    const place = id === null ? '' : `/${encodeURIComponent(id.toWellFormed())}`;
    return `http://127.0.0.1:${this.transport.port}/#open/${ticket}${place}`;
  }

  /** Where the server is now: for the event stream (events.ts). */
  locate(): Promise<Address> {
    return this.transport.locate();
  }

  /** Ends the kept connections; what is under way fails. */
  close(): void {
    this.transport.close();
  }

  private get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
    return this.transport.json('GET', path, { signal, repeatable: true });
  }

  private post<Answer>(path: string): Promise<Answer> {
    return this.transport.json('POST', path, { repeatable: true });
  }

  /** Waits a moment where `error` says that the server is gone and may come back; throws anything else. */
  private async pauseAfter(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const isGone = error instanceof VbatchError && error.code === 'noServer';
    if (!isGone || this.find === null) throw error;
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Ids hold slashes, and names any character; a name that is not well-formed text is no task's here. */
function runPath(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

export function taskPath(id: string): string {
  return `/v1/tasks/${encodeURIComponent(id.toWellFormed())}`;
}

function hostPath(name: string): string {
  return `/v1/hosts/${encodeURIComponent(name.toWellFormed())}`;
}

function whereNamed(workspace: string | null): { workspace?: string } {
  return workspace === null ? {} : { workspace };
}

export function queryText(query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
    for (const each of values) parameters.append(name, String(each));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
