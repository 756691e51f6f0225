import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../extension/hosts/addressing.ts';
import { hostLookOf } from '../../../../extension/hosts/hostLook.ts';
import {
  type CheckedHost,
  type HostNode,
  hostNodes,
  type Machines,
  parentIdOf,
} from '../../../../extension/hosts/hostNodes.ts';
import type { HostView, PoolView } from '../../../../server/protocol/tasks.ts';
import { english } from '../tree/support.ts';

const GiB = 1024 ** 3;
const since = '2024-05-06T07:08:09.000Z';
const now = Date.parse(since) + 86_400_000;

function host(name: string, change: Partial<HostView> = {}): HostView {
  return {
    name,
    state: 'online',
    since,
    reason: null,
    question: null,
    cpus: 16,
    memory: 64 * GiB,
    gpus: [],
    usedCpus: 3,
    usedMemory: 0,
    running: 0,
    ...change,
  };
}

function pool(name: string, change: Partial<PoolView> = {}): PoolView {
  const shape = { cpus: 0, memory: 0, gpus: 0, slots: null };
  return { name, hosts: ['local'], ...shape, running: 0, queued: 0, source: 'built in', ...change };
}

/** The whole tree as a person would see it, opened everywhere. */
function drawn(machines: Partial<Machines>): string[] {
  const all: Machines = { hosts: [], pools: [], reports: new Map(), ...machines };
  const lines = (node: HostNode | null, indent: string): string[] =>
    hostNodes(all, node).flatMap((child) => {
      const { label, description } = hostLookOf(child, now, english);
      return [
        `${indent}${label}${description === '' ? '' : `: ${description}`}`,
        ...lines(child, `${indent}  `),
      ];
    });
  return lines(null, '');
}

describe('the tree of hosts and pools', () => {
  it('knows of each line what it is below', () => {
    const gpu = { index: 0, name: 'A100', memory: 0, tasks: [], other: null };
    const findings = [{ topic: 'disk', status: 'ok', text: 'much', fix: null } as const];
    const machines: Machines = {
      hosts: [host('a b', { gpus: [gpu] })],
      pools: [pool('cpu-1')],
      reports: new Map([['a b', { host: 'a b', findings, at: now }]]),
    };
    const seen: HostNode['kind'][] = [];
    const look = (node: HostNode | null): void => {
      for (const child of hostNodes(machines, node)) {
        seen.push(child.kind);
        expect(parentIdOf(child)).toBe(node?.id ?? null);
        look(child);
      }
    };
    look(null);
    expect(seen).toEqual(['section', 'host', 'gpu', 'report', 'finding', 'add', 'section', 'pool']);
  });

  it('is empty as long as no host is known, so that the view can say what to do', () => {
    expect(drawn({})).toEqual([]);
  });

  it('shows who uses each GPU, and offers a host to whoever has this machine only', () => {
    const gpu = (index: number) => ({ index, name: 'A100', memory: 80 * GiB, tasks: [], other: null });
    const gpus = [
      { ...gpu(0), tasks: ['train-1/fit'] },
      { ...gpu(1), other: { user: 'ada', memory: 31 * GiB } },
      { ...gpu(2), other: { user: null, memory: null } },
      gpu(3),
    ];
    expect(drawn({ hosts: [host('local', { gpus, running: 1 })] })).toEqual([
      'Hosts',
      '  local: online · 3/16 CPUs · 3/4 GPUs · 1 running',
      '    GPU 0: A100 80G · train-1/fit',
      '    GPU 1: A100 80G · used by ada, 31G',
      '    GPU 2: A100 80G · used by somebody else',
      '    GPU 3: A100 80G · free',
      '  Add SSH Host…',
      'Pools',
    ]);
  });

  it('shows slots and queues of pools', () => {
    const pools = [
      pool('shell'),
      pool('train', { slots: 2, running: 1, queued: 3, gpus: 1, hosts: ['a', 'b'] }),
    ];
    expect(drawn({ hosts: [host('local')], pools }).slice(-3)).toEqual([
      'Pools',
      '  shell: local',
      '  train: 1/2 slots · 3 queued · each 1 GPU · a, b',
    ]);
  });

  it('says since when a host is out of reach and why, and when it waits for a person', () => {
    const lost = host('far', { state: 'unreachable', cpus: 0, reason: 'no route to host' });
    expect(drawn({ hosts: [host('local'), lost] })[2]).toMatch(
      /^ {2}far: unreachable since .+ · no route to host$/,
    );
    const asks = host('far', { state: 'unreachable', cpus: 0, question: 'passphrase' });
    expect(drawn({ hosts: [host('local'), asks] })).toContain('  far: has a question for you');
  });

  it('keeps what a check has found below its host, what is not well first', () => {
    const report: CheckedHost = {
      host: 'far',
      at: now,
      findings: [
        { topic: 'ssh', status: 'ok', text: 'connects', fix: null },
        { topic: 'disk', status: 'warning', text: '1G free', fix: 'remove something' },
      ],
    };
    const lines = drawn({ hosts: [host('local'), host('far')], reports: new Map([['far', report]]) });
    expect(lines.slice(3, 6)).toEqual([
      expect.stringMatching(/^ {4}Checked .+: 1 to look at$/),
      '      disk: 1G free → remove something',
      '      ssh: connects',
    ]);
  });

  it('offers what can be done', () => {
    const contextOf = (view: HostView) =>
      hostLookOf({ kind: 'host', id: 'x', host: view, report: null }, now, english).context;
    expect(contextOf(host('local'))).toBe('host check');
    expect(contextOf(host('far'))).toBe('host disconnect check remove');
    expect(contextOf(host('far', { state: 'unreachable' }))).toBe('host connect check remove');
    expect(contextOf(host('far', { state: 'connecting' }))).toBe('host connect disconnect check remove');
  });
});

describe('what a person types for a host', () => {
  it.each([
    ['gpu-box', { name: 'gpu-box', ssh: null }],
    ['  ssh gpu-box ', { name: 'gpu-box', ssh: null }],
    ['me@10.0.0.5:2222', { name: '10.0.0.5', ssh: 'me@10.0.0.5:2222' }],
    ['ssh -p 2222 me@box.example.org', { name: 'box.example.org', ssh: 'me@box.example.org:2222' }],
    ['me@box -p 22', { name: 'box', ssh: 'me@box:22' }],
    ['me@[::1]', { name: '1', ssh: 'me@[::1]' }],
  ])('%s is a host', (typed, address) => {
    expect(parseAddress(typed)).toEqual(address);
  });

  it.each(['', '   ', 'two words', '-oProxyCommand=x', 'box -p x'])('%j is none', (typed) => {
    expect(parseAddress(typed)).toBeNull();
  });
});
