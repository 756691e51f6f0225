/** All runs, newest first: what a person without an editor at hand follows and cancels. */
import { t } from '@vscode/l10n';
import { button, searchField } from '../controls.ts';
import type { Link } from '../link/link.ts';
import { lookOf } from '../state/statuses.ts';
import { applyEvent, type Entry, noTasks } from '../state/tasks.ts';
import { durationText, progressText, ranFor, statusText } from '../state/words.ts';
import { actionButtons, actionsFor } from './actions.ts';
import { element, linkButton, setText } from './dom.ts';

/** Rows shown at first, and with each "more". */
const page = 100;
const drawMs = 200;

interface Row {
  readonly root: HTMLElement;
  readonly sign: HTMLElement;
  readonly status: HTMLElement;
  readonly progress: HTMLElement;
  readonly duration: HTMLElement;
  readonly actions: HTMLElement;
  offered: string;
}

export class RunsPage {
  readonly root = element('main', 'runs');
  private readonly tasks = noTasks();
  private readonly rows = new Map<Entry, Row>();
  private readonly list = element('ul', 'rows');
  private readonly note = element('p', 'faint');
  private readonly told = element('p', 'told');
  private readonly more = button(t('Show more'), () => this.showMore());
  private readonly stopStream: () => void;
  private readonly ticking: number;
  private shown = page;
  private filter = '';
  private timer = 0;

  constructor(
    private readonly link: Link,
    private readonly open: (id: string) => void,
  ) {
    const search = searchField(t('Filter runs'), (text) => {
      this.filter = text.toLowerCase();
      this.draw();
    });
    this.told.setAttribute('role', 'status');
    this.root.append(
      element('header', '', element('h1', '', t('Runs')), search.element),
      this.note,
      this.told,
      this.list,
      this.more,
    );
    this.stopStream = link.stream({ top: true }, (event) => {
      applyEvent(this.tasks, event);
      this.timer ||= setTimeout(() => this.draw(), drawMs);
    });
    this.ticking = setInterval(() => this.tick(), 1_000);
    this.draw();
  }

  stop(): void {
    this.stopStream();
    clearInterval(this.ticking);
    clearTimeout(this.timer);
  }

  private showMore(): void {
    this.shown += page;
    this.draw();
  }

  private draw(): void {
    this.timer = 0;
    const { runs, trouble, whole } = this.tasks;
    const matching = runs.filter(({ task }) => `${task.name} ${task.id}`.toLowerCase().includes(this.filter));
    const wanted = matching.slice(-this.shown).reverse();
    const kept = new Set(wanted);
    for (const [entry, { root }] of this.rows) {
      if (kept.has(entry)) continue;
      root.remove();
      this.rows.delete(entry);
    }
    let before: Element | null = null;
    for (const entry of wanted) {
      let row = this.rows.get(entry);
      if (row === undefined) this.rows.set(entry, (row = this.make(entry)));
      this.update(row, entry);
      const place: Element | null = before === null ? this.list.firstElementChild : before.nextElementSibling;
      if (place !== row.root) this.list.insertBefore(row.root, place);
      before = row.root;
    }
    this.more.hidden = matching.length <= this.shown;
    const empty =
      runs.length === 0 ? t('No runs yet. `vbatch ./script.sh` makes one.') : t('No run matches.');
    setText(this.note, trouble ?? (matching.length > 0 ? '' : whole ? empty : t('Loading …')));
  }

  private make({ task }: Entry): Row {
    const sign = element('span', 'sign');
    sign.setAttribute('aria-hidden', 'true');
    const [status, progress, duration] = [
      element('span', 'status'),
      element('span', 'faint'),
      element('span', 'faint'),
    ];
    const actions = element('span', 'actions');
    const name = linkButton(task.name, () => this.open(task.id));
    name.title = task.id;
    const root = element(
      'li',
      '',
      sign,
      name,
      element('code', 'faint', task.id),
      status,
      progress,
      duration,
      actions,
    );
    return { root, sign, status, progress, duration, actions, offered: '' };
  }

  private update(row: Row, { task }: Entry): void {
    row.sign.className = `sign ${task.status}`;
    setText(row.sign, lookOf(task.status).sign);
    setText(row.status, statusText(task));
    setText(row.progress, progressText(task));
    const ran = ranFor(task, Date.now());
    setText(row.duration, ran === null ? '' : durationText(ran));
    const offered = actionsFor(task).join();
    if (offered === row.offered) return;
    row.offered = offered;
    row.actions.replaceChildren(
      ...actionButtons(this.link, task, (sentence) => setText(this.told, sentence)),
    );
  }

  private tick(): void {
    for (const [{ task }, row] of this.rows) {
      const ran = task.resolvedAt === null ? ranFor(task, Date.now()) : null;
      if (ran !== null) setText(row.duration, durationText(ran));
    }
  }
}
