/** The tree of hosts and pools: its nodes and what is below what. Nodes are told apart by their ids. */
import type { Finding, HostReport } from '../../server/protocol/hosts.ts';
import type { HostView, PoolView } from '../../server/protocol/tasks.ts';

type Gpu = HostView['gpus'][number];

export type HostNode =
  | { readonly kind: 'section'; readonly id: string; readonly name: 'hosts' | 'pools' }
  | {
      readonly kind: 'host';
      readonly id: string;
      readonly host: HostView;
      readonly report: CheckedHost | null;
    }
  | { readonly kind: 'gpu'; readonly id: string; readonly host: HostView; readonly gpu: Gpu }
  | { readonly kind: 'report'; readonly id: string; readonly report: CheckedHost }
  | { readonly kind: 'finding'; readonly id: string; readonly finding: Finding }
  | { readonly kind: 'add'; readonly id: string }
  | { readonly kind: 'pool'; readonly id: string; readonly pool: PoolView };

/** What was found when a host was checked last. */
export interface CheckedHost extends HostReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const severity: Record<Finding['status'], number> = { ok: 0, warning: 1, failure: 2 };

/** All that the view shows. */
export interface Machines {
  readonly hosts: readonly HostView[];
  readonly pools: readonly PoolView[];
  readonly reports: ReadonlyMap<string, CheckedHost>;
}

/** What is shown below a node, or at the top where it is null. */
export function hostNodes({ hosts, pools, reports }: Machines, node: HostNode | null): HostNode[] {
  if (node === null) {
    if (hosts.length === 0) return [];
    return [
      { kind: 'section', id: 'hosts', name: 'hosts' },
      { kind: 'section', id: 'pools', name: 'pools' },
    ];
  }
  switch (node.kind) {
    case 'section':
      if (node.name === 'pools')
        return pools.map((pool) => ({ kind: 'pool', id: `pool ${pool.name}`, pool }));
      return [
        ...hosts.map(
          (host): HostNode => ({
            kind: 'host',
            id: `host ${host.name}`,
            host,
            report: reports.get(host.name) ?? null,
          }),
        ),
        // Whoever has this machine only is told how to get more.
        ...(hosts.length === 1 ? [{ kind: 'add', id: 'add' } as const] : []),
      ];
    case 'host': {
      const { host, report } = node;
      return [
        ...host.gpus.map(
          (gpu): HostNode => ({ kind: 'gpu', id: `gpu ${host.name} ${gpu.index}`, host, gpu }),
        ),
        ...(report === null ? [] : [{ kind: 'report', id: `report ${host.name}`, report } as const]),
      ];
    }
    case 'report':
      // What is not well comes first.
      return node.report.findings
        .map((finding, at) => ({ kind: 'finding', id: `${node.id} ${at}`, finding }) as const)
        .sort((a, b) => severity[b.finding.status] - severity[a.finding.status]);
    case 'gpu':
    case 'finding':
    case 'add':
    case 'pool':
      return [];
  }
}

/** The id of what a node is shown below; null at the top. */
export function parentIdOf(node: HostNode): string | null {
  switch (node.kind) {
    case 'section':
      return null;
    case 'host':
    case 'add':
      return 'hosts';
    case 'pool':
      return 'pools';
    case 'gpu':
      return `host ${node.host.name}`;
    case 'report':
      return `host ${node.report.host}`;
    case 'finding':
      return node.id.slice(0, node.id.lastIndexOf(' '));
  }
}

/** How many findings of a report are not well. */
export function troubles({ findings }: HostReport): { failures: number; warnings: number } {
  const count = (status: Finding['status']) => findings.filter((each) => each.status === status).length;
  return { failures: count('failure'), warnings: count('warning') };
}
