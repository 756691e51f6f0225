/** The columns of `vctl`'s lists. Their names are the names of the JSON fields, and a few that are computed. */
import { formatSize } from '../../server/protocol/quantities.ts';
import type { HostView, PoolView, TaskView } from '../../server/protocol/tasks.ts';
import type { Colours, Style } from './colours.ts';
import { statusStyle, statusText } from './status.ts';
import type { TableColumn } from './table.ts';
import { ageText, elapsedText } from './times.ts';

/** One column of a list of T. */
export interface Column<T> extends TableColumn {
  name: string;
  value: (item: T, now: number) => string;
  style?: (item: T, colours: Colours) => Style;
}

/** What can be listed of T, and what is listed by default and with `-o wide`. */
export interface ColumnSet<T> {
  all: readonly Column<T>[];
  normal: readonly string[];
  wide: readonly string[];
}

function column<T>(name: string, value: Column<T>['value'], rest: Partial<Column<T>> = {}): Column<T> {
  return { name, header: name.toUpperCase(), value, ...rest };
}

const number = { align: 'right' } as const;

export const taskColumns: ColumnSet<TaskView> = {
  all: [
    column('id', (task) => task.id, { keep: 'end' }),
    column('name', (task) => task.name),
    column('parent', (task) => task.parent ?? '', { keep: 'end' }),
    column('run', (task) => task.run),
    column('status', (task) => statusText(task.status), {
      style: (task, colours) => statusStyle(task.status, colours),
    }),
    column('exitCode', (task) => text(task.exitCode), number),
    column('signal', (task) => task.signal ?? ''),
    column('reason', (task) => task.reason ?? ''),
    column('pool', (task) => task.pool),
    column('host', (task) => task.host ?? ''),
    column('attempt', (task) => text(task.attempt), number),
    column('command', (task) => task.command.join(' ')),
    column('cwd', (task) => task.cwd, { keep: 'end' }),
    column('labels', (task) => pairs(task.labels)),
    column('priority', (task) => text(task.priority), number),
    column('dependencies', (task) => task.dependencies.map((each) => each.name).join(',')),
    column(
      'children',
      ({ children }) => (children.total === 0 ? '' : `${children.done}/${children.total}`),
      number,
    ),
    column('duration', (task, now) => elapsedText(task, now), number),
    column('age', (task, now) => ageText(task.createdAt, now), number),
    column('createdAt', (task) => task.createdAt),
    column('startedAt', (task) => task.startedAt ?? ''),
    column('finishedAt', (task) => task.finishedAt ?? ''),
    column('resolvedAt', (task) => task.resolvedAt ?? ''),
  ],
  normal: ['id', 'status', 'children', 'duration', 'age', 'pool', 'reason'],
  wide: [
    'id',
    'status',
    'children',
    'duration',
    'age',
    'pool',
    'host',
    'attempt',
    'exitCode',
    'reason',
    'command',
  ],
};

export const poolColumns: ColumnSet<PoolView> = {
  all: [
    column('name', (pool) => pool.name),
    column('hosts', (pool) => pool.hosts.join(',')),
    column('cpus', (pool) => amount(pool.cpus), number),
    column('memory', (pool) => bytes(pool.memory), number),
    column('gpus', (pool) => amount(pool.gpus), number),
    column('slots', (pool) => text(pool.slots), number),
    column('running', (pool) => text(pool.running), number),
    column('queued', (pool) => text(pool.queued), number),
    column('source', (pool) => pool.source, { keep: 'end' }),
  ],
  normal: ['name', 'cpus', 'memory', 'gpus', 'slots', 'running', 'queued', 'hosts'],
  wide: ['name', 'cpus', 'memory', 'gpus', 'slots', 'running', 'queued', 'hosts', 'source'],
};

export const hostColumns: ColumnSet<HostView> = {
  all: [
    column('name', (host) => host.name),
    column('state', (host) => host.state, {
      style: (host, colours) => (host.state === 'online' ? colours.green : colours.yellow),
    }),
    column('since', (host) => host.since ?? ''),
    column('cpus', (host) => `${host.usedCpus}/${host.cpus}`, number),
    column('memory', (host) => `${formatSize(host.usedMemory)}/${formatSize(host.memory)}`, number),
    column('gpus', ({ gpus }) => `${gpus.filter(isUsed).length}/${gpus.length}`, number),
    column('gpuUse', ({ gpus }) => gpus.filter(isUsed).map(gpuText).join(', ')),
    column('running', (host) => text(host.running), number),
    column('reason', (host) => host.reason ?? ''),
  ],
  normal: ['name', 'state', 'cpus', 'memory', 'gpus', 'running', 'reason'],
  wide: ['name', 'state', 'since', 'cpus', 'memory', 'gpus', 'gpuUse', 'running', 'reason'],
};

type Gpu = HostView['gpus'][number];

function isUsed({ tasks, other }: Gpu): boolean {
  return tasks.length > 0 || other !== null;
}

/** Such as `0 train-1`, or `2 (ada 31G)` of a GPU that somebody uses without vbatch. */
function gpuText({ index, tasks, other }: Gpu): string {
  const { user, memory } = other ?? {};
  const others = [user ?? 'others', ...(memory == null ? [] : [formatSize(memory)])].join(' ');
  return [index, ...tasks, ...(other === null ? [] : [`(${others})`])].join(' ');
}

function text(value: number | null): string {
  return value === null ? '' : String(value);
}

/** Zero is no claim, and says nothing in a table. */
function amount(value: number): string {
  return value === 0 ? '' : String(value);
}

function bytes(value: number): string {
  return value === 0 ? '' : formatSize(value);
}

function pairs(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
