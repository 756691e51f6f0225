/** All about the selected task, beside the graph. */
import { t } from '@vscode/l10n';
import type { Explanation, TaskDetail, TaskView } from '../../server/protocol/tasks.ts';
import { button, iconButton } from '../controls.ts';
import { numberText } from '../language.ts';
import { type Link, taskPath } from '../link/link.ts';
import { kindLabels } from '../render/lines.ts';
import { lookOf } from '../state/statuses.ts';
import { type Entry, siblingsOf, type Tasks } from '../state/tasks.ts';
import { type Dependency, upstreamFinder } from '../state/upstreams.ts';
import { childrenText, durationText, ranFor, statusText } from '../state/words.ts';
import { actionButtons } from './actions.ts';
import { element, linkButton, setText } from './dom.ts';
import { LogView } from './logView.ts';

/** How soon changes of a task are shown that have to be asked for. */
const askMs = 300;
/** So many names are listed of a dependency on a fan-out. */
const mostNames = 8;

export class Panel {
  readonly root = element('aside', 'panel');
  private readonly body = element('div', 'about');
  private readonly logPlace = element('div', 'tail');
  private readonly told = element('div', 'told');
  private entry: Entry | null = null;
  private log: LogView | null = null;
  private logged = '';
  private timer = 0;
  private readonly ticking: number;
  private duration: HTMLElement | null = null;

  constructor(
    private readonly link: Link,
    private readonly tasks: () => Tasks,
    private readonly act: { go(id: string): void; close(): void },
  ) {
    this.root.setAttribute('aria-label', t('Selected task'));
    this.told.setAttribute('role', 'status');
    this.root.append(this.body, this.told, this.logPlace);
    this.root.hidden = true;
    this.ticking = setInterval(() => this.tick(), 1_000);
  }

  stop(): void {
    this.show(null);
    clearInterval(this.ticking);
  }

  show(entry: Entry | null): void {
    if (entry !== this.entry) setText(this.told, '');
    this.entry = entry;
    this.root.hidden = entry === null;
    this.tail();
    if (entry === null) return;
    this.draw(entry.task, null, null);
    void this.ask(entry);
  }

  /** Tasks have changed; this one may be among them. */
  changed(entries: readonly Entry[]): void {
    const { entry } = this;
    if (entry === null || this.timer !== 0 || !entries.includes(entry)) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.entry === null) return;
      this.tail();
      void this.ask(this.entry);
    }, askMs);
  }

  private async ask(entry: Entry): Promise<void> {
    const path = taskPath(entry.task.id);
    try {
      const [detail, explanation] = await Promise.all([
        this.link.request<TaskDetail>('GET', path),
        this.link.request<Explanation>('GET', `${path}/explain`),
      ]);
      if (this.entry === entry) this.draw(detail, detail, explanation.sentences);
    } catch (error) {
      if (this.entry === entry) setText(this.told, (error as Error).message);
    }
  }

  /** The last lines of the output of the attempt that is the latest by now. */
  private tail(): void {
    const wanted = this.entry === null ? '' : `${this.entry.task.id} ${this.entry.task.attempt}`;
    if (wanted === this.logged) return;
    this.logged = wanted;
    this.log?.stop();
    this.log = null;
    this.logPlace.replaceChildren();
    if (this.entry === null || this.entry.task.attempt === 0) return;
    const { id, attempt } = this.entry.task;
    this.log = new LogView(this.link, { id, attempt, tail: 16 * 1024, lines: 200 });
    this.logPlace.append(element('h3', '', t('Output')), this.log.root);
  }

  private tick(): void {
    if (this.duration === null || this.entry === null) return;
    const ran = ranFor(this.entry.task, Date.now());
    if (ran !== null) setText(this.duration, durationText(ran));
  }

  private draw(task: TaskView, detail: TaskDetail | null, sentences: readonly string[] | null): void {
    const look = lookOf(task.status);
    const sign = element('span', `sign ${task.status}`, look.sign);
    sign.setAttribute('aria-hidden', 'true');
    const head = element(
      'div',
      'head',
      element('h2', '', task.name),
      iconButton('×', t('Close'), this.act.close),
    );
    const facts = element('dl', '');
    const fact = (name: string, ...values: (Node | string | null)[]) => {
      if (values.every((value) => value === null || value === '')) return;
      facts.append(element('dt', '', name), element('dd', '', ...values));
    };
    this.duration = element('span', '');
    fact(t('Id'), element('code', '', task.id));
    fact(t('Command'), element('code', 'command', commandText(task.command)));
    fact(t('Folder'), element('code', '', task.cwd));
    fact(t('Pool'), task.pool);
    fact(t('Host'), hostText(task, detail));
    if (task.startedAt !== null) {
      fact(t('Started'), new Date(task.startedAt).toLocaleString());
      fact(t('Duration'), this.duration);
    } else fact(t('Submitted'), new Date(task.createdAt).toLocaleString());
    fact(t('Sub-tasks'), childrenText(task));
    fact(t('Waits for'), this.upstreams(task));
    fact(t('Awaited by'), this.downstreams(task));
    const labels = Object.entries(task.labels).map(([key, value]) => `${key}=${value}`);
    fact(t('Labels'), labels.join(', '));
    if (detail !== null && detail.attempts.length > 1) fact(t('Attempts'), attemptList(detail));
    const why = sentences ?? (task.reason === null ? [] : [task.reason]);
    const actions = actionButtons(this.link, task, (sentence) => setText(this.told, sentence));
    this.body.replaceChildren(
      head,
      element('p', 'status', sign, ` ${statusText(task)}`),
      ...why.map((sentence) => element('p', 'why', sentence)),
      element(
        'div',
        'actions',
        button(t('Logs'), () => this.link.showLog(task.id), 'primary'),
        ...actions,
      ),
      facts,
    );
    this.tick();
  }

  private siblings(task: TaskView): readonly Entry[] {
    const entry = this.tasks().byId.get(task.id);
    return entry === undefined ? [] : siblingsOf(this.tasks(), entry);
  }

  private upstreams(task: TaskView): Node | null {
    if (task.dependencies.length === 0) return null;
    const find = upstreamFinder(this.siblings(task));
    const list = element('ul', '');
    for (const dependency of task.dependencies) {
      const { name, kind, state } = dependency;
      const [found, second] = find(dependency);
      const target =
        found !== undefined && second === undefined
          ? linkButton(name, () => this.act.go(found.task.id))
          : name;
      const progress = stateText(state);
      list.append(element('li', '', target, ` (${kindLabels[kind]}): ${progress}`));
    }
    return list;
  }

  private downstreams(task: TaskView): Node | null {
    const siblings = this.siblings(task);
    const find = upstreamFinder(siblings);
    /** By what was found, which is the same for all that wait for a large fan-in. */
    const known = new Map<readonly Entry[], boolean>();
    const isMeant = (dependency: Dependency) => {
      const upstreams = find(dependency);
      let meant = known.get(upstreams);
      if (meant === undefined)
        known.set(upstreams, (meant = upstreams.some((entry) => entry.task.id === task.id)));
      return meant;
    };
    const found = siblings.filter((entry) => entry.task.dependencies.some(isMeant));
    if (found.length === 0) return null;
    const list = element('ul', '');
    for (const { task: other } of found.slice(0, mostNames)) {
      list.append(
        element(
          'li',
          '',
          linkButton(other.name, () => this.act.go(other.id)),
          ` (${lookOf(other.status).word})`,
        ),
      );
    }
    if (found.length > mostNames)
      list.append(element('li', '', t('and {0} more', numberText(found.length - mostNames))));
    return list;
  }
}

/** As it could be typed: words that a shell would take apart are quoted. */
export function commandText(command: readonly string[]): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** How far a dependency is. */
function stateText(state: TaskView['dependencies'][number]['state']): string {
  switch (state) {
    case 'unknown':
      return t('nobody has submitted it yet');
    case 'waiting':
      return t('waiting');
    case 'met':
      return t('met');
    case 'failed':
      return t('failed');
    case 'skipped':
      return t('skipped');
  }
}

function hostText({ host }: TaskView, detail: TaskDetail | null): string {
  const gpus = detail?.attempts.at(-1)?.gpus ?? [];
  if (host === null) return '';
  return gpus.length === 0 ? host : t('{0}, GPU {1}', host, gpus.join(', '));
}

function attemptList({ attempts }: TaskDetail): Node {
  const list = element('ol', '');
  for (const attempt of attempts) {
    const { state, host, exitCode, signal, reason, startedAt, endedAt } = attempt;
    const end = signal ?? (exitCode === null ? state : t('exit code {0}', exitCode));
    const took =
      startedAt === null || endedAt === null
        ? ''
        : `, ${durationText(Date.parse(endedAt) - Date.parse(startedAt))}`;
    list.append(
      element('li', '', `${t('{0} on {1}', end, host)}${took}${reason === null ? '' : `: ${reason}`}`),
    );
  }
  return list;
}
