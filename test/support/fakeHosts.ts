/** A HostService without hosts: it notes what it is asked, and answers as a test tells it to. */
import type { HostEntry } from '../../server/config/schema.ts';
import type { HostService } from '../../server/engine/hostActions.ts';
import type {
  ConnectResponse,
  HostReport,
  HostWritten,
  Pruned,
  Question,
} from '../../server/protocol/hosts.ts';
import type { HostView } from '../../server/protocol/tasks.ts';

export function hostView(change: Partial<HostView> = {}): HostView {
  return {
    name: 'box',
    state: 'online',
    since: '2024-05-06T07:08:09.000Z',
    reason: null,
    question: null,
    cpus: 8,
    memory: 16 * 1024 ** 3,
    gpus: [],
    usedCpus: 0,
    usedMemory: 0,
    running: 0,
    ...change,
  };
}

/** A question about an unknown host key. */
export const keyQuestion: Question = {
  id: 'q1',
  kind: 'hostKey',
  host: 'box',
  text: "The authenticity of host 'box' can't be established.\nAre you sure? ",
  echo: true,
  fingerprint: 'SHA256:abc',
};

export class FakeHosts implements HostService {
  /** Every call with its arguments. */
  readonly calls: unknown[][] = [];
  /** What comes of a connection: a question, an error, or null for online. */
  outcomes: (Question | Error | null)[] = [];
  report: HostReport['findings'] = [{ topic: 'sftp', status: 'ok', text: 'it works', fix: null }];
  pruned: Pruned = { freed: 2048, attempts: 1, versions: 1, environments: 0, folders: 0, others: [] };

  async add(name: string, entry: HostEntry): Promise<HostWritten> {
    this.calls.push(['add', name, entry]);
    return { file: '/config.yaml', changed: true };
  }

  async remove(name: string, force: boolean): Promise<HostWritten> {
    this.calls.push(['remove', name, force]);
    return { file: '/config.yaml', changed: true };
  }

  async connect(name: string, workspace: string | null): Promise<ConnectResponse> {
    this.calls.push(['connect', name, workspace]);
    return this.next(name);
  }

  async answer(name: string, request: { id: string; answer: string | null }): Promise<ConnectResponse> {
    this.calls.push(['answer', name, request]);
    return this.next(name);
  }

  async disconnect(name: string): Promise<HostView> {
    this.calls.push(['disconnect', name]);
    return hostView({ name, state: 'disconnected' });
  }

  async check(name: string, workspace: string | null): Promise<HostReport> {
    this.calls.push(['check', name, workspace]);
    return { host: name, findings: this.report };
  }

  async prune(name: string, folders: readonly string[]): Promise<Pruned> {
    this.calls.push(['prune', name, folders]);
    return this.pruned;
  }

  private next(name: string): ConnectResponse {
    const outcome = this.outcomes.shift() ?? null;
    if (outcome instanceof Error) throw outcome;
    const state = outcome === null ? 'online' : 'connecting';
    return { host: hostView({ name, state, question: outcome?.kind ?? null }), question: outcome };
  }
}
