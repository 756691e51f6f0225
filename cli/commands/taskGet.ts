import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { formatDuration } from '../../server/protocol/quantities.ts';
import { taskJson } from '../../server/protocol/taskJson.ts';
import type { TaskDetail } from '../../server/protocol/tasks.ts';
import { writeAll } from '../io.ts';
import type { Colours } from '../render/colours.ts';
import { structured } from '../render/list.ts';
import { statusStyle, statusText } from '../render/status.ts';
import { harmless } from '../render/text.ts';
import { elapsedText } from '../render/times.ts';
import { type Context, drawing, withExamples } from './context.ts';

/** `vctl task get ID` */
export function addTaskGet(parent: Command, context: Context): void {
  const command = parent
    .command('get')
    .argument('<id>', 'id of a task, or the name of a run')
    .description('show one task with its attempts')
    .option('-o, --output <format>', 'json or yaml')
    .action(async (id: string, { output }: { output?: string }) => {
      if (output !== undefined && output !== 'json' && output !== 'yaml') {
        throw new VbatchError('usage', `-o ${JSON.stringify(output)}: expected json or yaml`);
      }
      const client = await context.connect();
      const task = await client.task(id);
      const { stdout } = context.io;
      const { colours, now } = drawing(context, stdout);
      await writeAll(
        stdout,
        output ? await structured(output, taskJson(task)) : taskText(task, colours, now),
      );
    });
  withExamples(command, [
    'vctl task get training_pipeline-4k2m9/train',
    'vctl task get training_pipeline -o json',
  ]);
}

/** All that is worth knowing of a task, a line each. */
export function taskText(task: TaskDetail, colours: Colours, now: number): string {
  const { total, done, failed } = task.children;
  const labels = Object.entries(task.labels).map(([key, value]) => `${key}=${value}`);
  const lines: [name: string, value: string | null][] = [
    ['id', task.id],
    ['name', task.name],
    ['status', statusStyle(task.status, colours)(statusText(task.status))],
    ['reason', task.reason],
    ['command', task.command.map(shellWord).join(' ')],
    ['directory', task.cwd],
    ['pool', task.pool],
    ['host', task.host],
    ['labels', labels.join(', ') || null],
    ['priority', task.priority === 0 ? null : String(task.priority)],
    ['shards', task.shards === null ? null : shardsText(task.shards)],
    ['time limit', task.timeLimit === null ? null : formatDuration(task.timeLimit)],
    ['retries', task.retries === 0 ? null : String(task.retries)],
    ['allows failure', task.allowFailure ? 'yes: it does not fail its parent' : null],
    ['children', total === 0 ? null : `${done} of ${total} done${failed === 0 ? '' : `, ${failed} failed`}`],
    ['submitted', task.createdAt],
    ['started', task.startedAt],
    ['command ended', task.finishedAt],
    ['done', task.resolvedAt],
    ['duration', elapsedText(task, now) || null],
    ...task.dependencies.map((each): [string, string] => [flagOf(each.kind), `${each.name} (${each.state})`]),
    ...task.attempts.map((each): [string, string] => [`attempt ${each.number}`, attemptText(each)]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${colours.dim(name.padEnd(width))}  ${safe(name, value)}\n`).join('');
}

/** The status carries our own colours; everything else may carry somebody's escapes. */
function safe(name: string, value: string): string {
  return name === 'status' ? value : harmless(value);
}

function flagOf(kind: 'success' | 'fail' | 'any'): string {
  return { success: 'after success', fail: 'after fail', any: 'after' }[kind];
}

function shardsText({ total, limit, gang }: NonNullable<TaskDetail['shards']>): string {
  if (gang) return `${total}, all at once`;
  return limit === null ? String(total) : `${total}, at most ${limit} at once`;
}

function attemptText(attempt: TaskDetail['attempts'][number]): string {
  const end = attempt.signal === null ? `exit code ${attempt.exitCode}` : `killed by SIG${attempt.signal}`;
  const state = attempt.state === 'ended' ? end : attempt.state;
  const gpus = attempt.gpus.length === 0 ? '' : `, GPUs ${attempt.gpus.join(' ')}`;
  const reason = attempt.reason === null ? '' : ` (${attempt.reason})`;
  return `${state}${reason} on ${attempt.host}${gpus}`;
}

/** A word as it could be typed into a shell. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
