/** How the nodes of the task tree look. */
import { segmentOf } from '../../server/model/naming.ts';
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { Look } from '../lines/look.ts';
import { type Icon, isDone, statusIcons, statusWord } from '../statuses.ts';
import { momentText, type Texts } from '../texts.ts';
import { abilities, can } from './abilities.ts';
import { durationText } from './durations.ts';
import type { Entry } from './entries.ts';
import { type Group, type GroupName, type Hundred, hundred } from './family.ts';

export type TaskNode = Entry | Group | Hundred;

export function lookOf(node: TaskNode, now: number, l10n: Texts): Look {
  switch (node.kind) {
    case 'task':
      return taskLook(node, now, l10n);
    case 'group':
      return groupLook(node, l10n);
    case 'hundred':
      return hundredLook(node, l10n);
  }
}

function taskLook(entry: Entry, now: number, l10n: Texts): Look {
  const { status, held, total, done, failed, reason } = entry;
  const word = held && !isDone(status) ? l10n.t('held') : statusWord(status, l10n);
  const count = total === 0 ? '' : `${done}/${total}`;
  const failures = failed === 0 ? '' : l10n.t('{0} failed', failed);
  const began = entry.parent === null ? momentText(entry.createdAt, now) : '';
  // Of a parent that failed by its children, the count says it already.
  // Nor is told twice that it is held or cancelled.
  const isSaid =
    failed > 0 || status === 'RUNNING' || reason === word || (held && reason?.startsWith('is held'));
  const why = isSaid ? '' : (reason ?? '');
  // What comes first is what is left of it in a narrow sidebar.
  const facts = [count, isDone(status) ? '' : failures, word, durationText(entry, now), began, why];
  const spoken = [labelOf(entry), word, count, failures, isDone(status) ? spokenDuration(entry) : '', why];
  return {
    id: `task ${entry.id}`,
    label: labelOf(entry),
    description: joined(facts, ' · '),
    icon: held && !isDone(status) ? { name: 'debug-pause', colour: 'charts.yellow' } : statusIcons[status],
    context: ['task', ...abilities.filter((ability) => can(ability, entry))].join(' '),
    isParent: entry.children !== null && entry.children.size > 0,
    spoken: joined(spoken, ', '),
  };
}

function groupLook({ family, name }: Group, l10n: Texts): Look {
  const label = groupWord(name, l10n);
  const count = String(family.sizeOf(name));
  return {
    id: `group ${family.parent?.id ?? ''} ${name}`,
    label,
    description: count,
    icon: groupIcons[name],
    context: 'group',
    isParent: true,
    spoken: `${label}, ${count}`,
  };
}

function hundredLook(node: Hundred, l10n: Texts): Look {
  const { family, group, number } = node;
  const range = `${number * hundred + 1} – ${(number + 1) * hundred}`;
  const count = String(family.sizeOfHundred(node));
  const label = group === null ? l10n.t('Older runs {0}', range) : range;
  return {
    id: `hundred ${family.parent?.id ?? ''} ${group?.name ?? ''} ${number}`,
    label,
    description: count,
    icon: group === null ? { name: 'history', colour: null } : groupIcons[group.name],
    context: 'hundred',
    isParent: true,
    spoken: `${label}, ${count}`,
  };
}

const groupIcons: Record<GroupName, Icon> = {
  failed: statusIcons.FAILURE,
  failedUpstream: statusIcons.FAILED_UPSTREAM,
  cancelled: statusIcons.CANCELLED,
  running: { name: 'play-circle', colour: 'charts.blue' },
  queued: statusIcons.QUEUED,
  pending: statusIcons.PENDING,
  succeeded: statusIcons.SUCCESS,
  skipped: statusIcons.SKIPPED,
};

/** The name, with the id's segment wherever that cannot be guessed from it. */
export function labelOf({ id, name, parent }: Entry): string {
  if (parent === null && !id.includes('/')) return name;
  const segment = id.slice(id.lastIndexOf('/') + 1);
  if (segment === segmentOf(name)) return name;
  return segment.startsWith(name) ? segment : `${name} (${segment})`;
}

function groupWord(name: GroupName, l10n: Texts): string {
  switch (name) {
    case 'failed':
      return l10n.t('Failed');
    case 'failedUpstream':
      return l10n.t('Failed Upstream');
    case 'cancelled':
      return l10n.t('Cancelled');
    case 'running':
      return l10n.t('Running');
    case 'queued':
      return l10n.t('Queued');
    case 'pending':
      return l10n.t('Pending');
    case 'succeeded':
      return l10n.t('Succeeded');
    case 'skipped':
      return l10n.t('Skipped');
  }
}

function spokenDuration({ startedAt, resolvedAt }: Entry): string {
  if (startedAt === null || resolvedAt === null) return '';
  return formatDuration(Math.max(0, (resolvedAt - startedAt) / 1_000));
}

function joined(parts: readonly string[], separator: string): string {
  return parts.filter((part) => part !== '').join(separator);
}
