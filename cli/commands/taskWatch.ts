import type { Command } from 'commander';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import { EventStream } from '../../server/client/events.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { exitCodeOf } from '../../server/protocol/exitCode.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { LiveArea, statusLine } from '../render/live.ts';
import { isDone } from '../render/status.ts';
import { changeLine, fittingTree } from '../render/watched.ts';
import { type Context, drawing, withExamples } from './context.ts';

/** Redrawing more often than this is no longer seen. */
const drawMs = 100;
/** How often durations are renewed while nothing else changes. */
const tickMs = 1_000;

/** `vctl task watch ID` */
export function addTaskWatch(parent: Command, context: Context): void {
  const command = parent
    .command('watch')
    .argument('<id>', 'id of a task, or the name of a run')
    .description('show the tree, live, until the task is done, and exit with its code')
    .action(async (id: string) => {
      const client = await context.connect();
      const { id: root } = await client.task(id);
      const display = context.io.stdout.isTTY === true ? new Redrawn(context) : new Printed(context);
      try {
        const locate = () => client.locate();
        context.exitWith(exitCodeOf(await watched(root, locate, display)));
      } finally {
        display.end();
      }
    });
  withExamples(command, ['vctl task watch training_pipeline', 'vctl task watch $(vbatch ./pipeline.sh)']);
}

/** Where changes are shown. */
interface Display {
  /** All tasks as they are now, after `changed` have. */
  show(tasks: readonly TaskView[], changed: readonly TaskView[]): void;
  /** What keeps the picture from being up to date; null when it is. */
  trouble(reason: string | null): void;
  end(): void;
}

/** Shows the tree below `root` until it is done. Resolves with its last state. */
function watched(
  root: string,
  locate: ConstructorParameters<typeof EventStream>[0]['locate'],
  display: Display,
): Promise<TaskView> {
  const tasks = new Map<string, TaskView>();
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      stream.stop();
      settle();
    };
    const listener = (event: StreamEvent) => {
      if (event.type === 'reset') tasks.clear();
      if (event.type === 'disconnected') display.trouble(event.reason);
      if (event.type === 'failed') finish(() => reject(event.error));
      if (event.type !== 'tasks') return;
      for (const id of event.removed) tasks.delete(id);
      for (const task of event.tasks) tasks.set(task.id, task);
      if (!event.whole) return;
      display.trouble(null);
      display.show([...tasks.values()], event.tasks);
      const top = tasks.get(root);
      if (top === undefined) finish(() => reject(new VbatchError('notFound', `${root} has been removed`)));
      else if (isDone(top.status)) finish(() => resolve(top));
    };
    const stream = new EventStream({ locate, below: root, listener });
    stream.start();
  });
}

/** On a terminal: the tree, drawn again in place. */
class Redrawn implements Display {
  private readonly area: LiveArea;
  private readonly ticking: NodeJS.Timeout;
  private tasks: readonly TaskView[] = [];
  private reason: string | null = null;
  private pending: NodeJS.Timeout | null = null;

  constructor(private readonly context: Context) {
    const { stdout } = context.io;
    this.area = new LiveArea({
      get columns() {
        return stdout.columns || 80;
      },
      write: (text) => stdout.write(text),
    });
    this.ticking = setInterval(() => this.drawSoon(), tickMs);
  }

  show(tasks: readonly TaskView[]): void {
    this.tasks = tasks;
    this.drawSoon();
  }

  trouble(reason: string | null): void {
    this.reason = reason;
    this.drawSoon();
  }

  end(): void {
    clearInterval(this.ticking);
    if (this.pending !== null) clearTimeout(this.pending);
    this.draw();
  }

  private drawSoon(): void {
    this.pending ??= setTimeout(() => this.draw(), drawMs);
  }

  private draw(): void {
    this.pending = null;
    const { stdout } = this.context.io;
    const columns = stdout.columns || 80;
    const note = this.reason === null ? [] : [statusLine(`reconnecting: ${this.reason}`, columns)];
    const rows = (stdout.rows || 24) - 1 - note.length;
    const options = { ...drawing(this.context, stdout), width: columns - 1 };
    this.area.draw([...fittingTree(this.tasks, rows, options), ...note]);
  }
}

/** Elsewhere: a line for each task that is not done at first, and then for each change. */
class Printed implements Display {
  private readonly known = new Map<string, TaskView>();
  private first = true;

  constructor(private readonly context: Context) {}

  show(_tasks: readonly TaskView[], changed: readonly TaskView[]): void {
    const { stdout } = this.context.io;
    const { colours, now } = drawing(this.context, stdout);
    for (const task of changed) {
      const line = changeLine(this.known.get(task.id), task, colours, now);
      this.known.set(task.id, task);
      if (line !== null && !(this.first && isDone(task.status))) stdout.write(`${line}\n`);
    }
    this.first = false;
  }

  trouble(reason: string | null): void {
    if (reason !== null) this.context.io.stderr.write(`vctl: reconnecting: ${reason}\n`);
  }

  end(): void {}
}
