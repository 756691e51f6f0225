/** How hosts, their GPUs and pools look. */
import { formatSize } from '../../server/protocol/quantities.ts';
import type { HostView, PoolView } from '../../server/protocol/tasks.ts';
import type { Look } from '../lines/look.ts';
import { momentText, type Texts } from '../texts.ts';
import { type CheckedHost, type HostNode, troubles } from './hostNodes.ts';

type HostLook = Look & { readonly isOpen: boolean };

export function hostLookOf(node: HostNode, now: number, l10n: Texts): HostLook {
  const {
    label,
    description,
    icon,
    context = '',
    isParent = false,
    isOpen = false,
  } = partsOf(node, now, l10n);
  const spoken = [label, description].filter((text) => text !== '').join(', ');
  const [name, colour = null] = icon;
  return { id: node.id, label, description, icon: { name, colour }, context, isParent, isOpen, spoken };
}

interface Parts {
  label: string;
  description: string;
  icon: [name: string, colour?: string];
  context?: string;
  isParent?: boolean;
  isOpen?: boolean;
}

function partsOf(node: HostNode, now: number, l10n: Texts): Parts {
  switch (node.kind) {
    case 'section': {
      const isHosts = node.name === 'hosts';
      const label = isHosts ? l10n.t('Hosts') : l10n.t('Pools');
      const icon: [string] = [isHosts ? 'server' : 'layers'];
      return { label, description: '', icon, isParent: true, isOpen: isHosts };
    }
    case 'host': {
      const { host, report } = node;
      const isParent = host.gpus.length > 0 || report !== null;
      return {
        label: host.name,
        description: hostText(host, now, l10n),
        icon: hostIcons[host.state],
        context: hostContext(host),
        isParent,
        isOpen: isParent,
      };
    }
    case 'gpu':
      return gpuParts(node, l10n);
    case 'report':
      return reportParts(node.report, now, l10n);
    case 'finding': {
      const { topic, status, text, fix } = node.finding;
      const description = fix === null ? text : `${text} → ${fix}`;
      return { label: topic, description, icon: findingIcons[status] };
    }
    case 'add':
      return { label: l10n.t('Add SSH Host…'), description: '', icon: ['add'], context: 'add' };
    case 'pool':
      return {
        label: node.pool.name,
        description: poolText(node.pool, l10n),
        icon: ['layers'],
        context: 'pool',
      };
  }
}

const hostIcons: Record<HostView['state'], [string, string?]> = {
  online: ['vm-active', 'testing.iconPassed'],
  connecting: ['loading~spin', 'charts.blue'],
  unreachable: ['warning', 'testing.iconErrored'],
  disconnected: ['vm-outline'],
};

const findingIcons = {
  ok: ['pass', 'testing.iconPassed'],
  warning: ['warning', 'charts.yellow'],
  failure: ['error', 'testing.iconFailed'],
} satisfies Record<string, [string, string]>;

/** What can be done with a host, as words for when-clauses. */
function hostContext({ name, state }: HostView): string {
  if (name === 'local') return 'host check';
  const isOn = state === 'online' || state === 'connecting';
  return [
    'host',
    ...(state === 'online' ? [] : ['connect']),
    ...(isOn ? ['disconnect'] : []),
    'check',
    'remove',
  ].join(' ');
}

function hostText(host: HostView, now: number, l10n: Texts): string {
  const since = host.since === null ? '' : momentText(Date.parse(host.since), now);
  const facts = [stateText(host, since, l10n)];
  if (host.cpus > 0) facts.push(l10n.t('{0}/{1} CPUs', host.usedCpus, host.cpus));
  if (host.gpus.length > 0) facts.push(l10n.t('{0}/{1} GPUs', usedGpus(host), host.gpus.length));
  if (host.usedMemory > 0) facts.push(`${formatSize(host.usedMemory)}/${formatSize(host.memory)}`);
  if (host.running > 0) facts.push(l10n.t('{0} running', host.running));
  if (host.state !== 'online' && host.reason !== null) facts.push(host.reason);
  return facts.join(' · ');
}

function stateText({ state, question }: HostView, since: string, l10n: Texts): string {
  if (question !== null) return l10n.t('has a question for you');
  switch (state) {
    case 'online':
      return l10n.t('online');
    case 'connecting':
      return l10n.t('connecting');
    case 'unreachable':
      return since === '' ? l10n.t('unreachable') : l10n.t('unreachable since {0}', since);
    case 'disconnected':
      return l10n.t('disconnected');
  }
}

function usedGpus({ gpus }: HostView): number {
  return gpus.filter(({ tasks, other }) => tasks.length > 0 || other !== null).length;
}

function gpuParts({ gpu }: HostNode & { kind: 'gpu' }, l10n: Texts): Parts {
  const { index, name, memory, tasks, other } = gpu;
  const size = memory > 0 ? ` ${formatSize(memory)}` : '';
  const users = [...tasks, ...(other === null ? [] : [otherText(other, l10n)])];
  const colour = tasks.length > 0 ? 'charts.blue' : other === null ? 'testing.iconPassed' : 'charts.yellow';
  return {
    label: l10n.t('GPU {0}', index),
    description: `${name}${size} · ${users.length === 0 ? l10n.t('free') : users.join(', ')}`,
    icon: ['circuit-board', colour],
    context: tasks.length > 0 ? 'gpu used' : 'gpu',
  };
}

function otherText({ user, memory }: { user: string | null; memory: number | null }, l10n: Texts): string {
  const who = user ?? l10n.t('somebody else');
  return memory === null ? l10n.t('used by {0}', who) : l10n.t('used by {0}, {1}', who, formatSize(memory));
}

function reportParts(report: CheckedHost, now: number, l10n: Texts): Parts {
  const { failures } = troubles(report);
  return {
    label: l10n.t('Checked {0}', momentText(report.at, now)),
    description: verdict(report, l10n),
    icon: failures > 0 ? findingIcons.failure : ['checklist'],
    isParent: true,
    isOpen: true,
  };
}

/** A report in a few words. */
export function verdict(report: CheckedHost, l10n: Texts): string {
  const { failures, warnings } = troubles(report);
  const parts = [
    ...(failures > 0 ? [l10n.t('{0} failed', failures)] : []),
    ...(warnings > 0 ? [l10n.t('{0} to look at', warnings)] : []),
  ];
  return parts.length === 0 ? l10n.t('all is well') : parts.join(', ');
}

export function cpusText(cpus: number, l10n: Texts): string {
  return cpus === 1 ? l10n.t('1 CPU') : l10n.t('{0} CPUs', cpus);
}

export function gpusText(gpus: number, l10n: Texts): string {
  return gpus === 1 ? l10n.t('1 GPU') : l10n.t('{0} GPUs', gpus);
}

function poolText({ slots, running, queued, cpus, gpus, memory, hosts }: PoolView, l10n: Texts): string {
  const shape = [
    ...(cpus > 0 ? [cpusText(cpus, l10n)] : []),
    ...(gpus > 0 ? [gpusText(gpus, l10n)] : []),
    ...(memory > 0 ? [formatSize(memory)] : []),
  ];
  const facts = [
    slots === null
      ? running > 0
        ? l10n.t('{0} running', running)
        : ''
      : l10n.t('{0}/{1} slots', running, slots),
    queued > 0 ? l10n.t('{0} queued', queued) : '',
    shape.length > 0 ? l10n.t('each {0}', shape.join(', ')) : '',
    hosts.join(', '),
  ];
  return facts.filter((fact) => fact !== '').join(' · ');
}
