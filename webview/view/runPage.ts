/** One run: its graph, what can be looked for in it, and the panel of the selected task. */
import { t } from '@vscode/l10n';
import { button, checkbox, dropdown, searchField } from '../controls.ts';
import { numberText } from '../language.ts';
import type { Link } from '../link/link.ts';
import { countsText, lookOf, noCounts, placeOf, type Status, statuses } from '../state/statuses.ts';
import { applyEvent, type Entry, noTasks } from '../state/tasks.ts';
import { element, setText } from './dom.ts';
import { type GraphState, GraphView } from './graphView.ts';
import { helpDialog } from './help.ts';
import { Panel } from './panel.ts';

export interface RunState {
  readonly graph: GraphState;
  readonly follow: boolean;
}

const summaryMs = 250;
const followMs = 600;
/** So many running tasks are followed at once. */
const mostFollowed = 30;

export class RunPage {
  readonly root = element('main', 'run');
  readonly graph: GraphView;
  private readonly tasks = noTasks();
  private readonly counts = noCounts();
  private readonly statusOf = new Map<Entry, Status>();
  private readonly running = new Set<Entry>();
  private readonly summary = element('p', 'summary');
  private readonly note = element('p', 'note');
  private readonly help = helpDialog();
  private readonly panel: Panel;
  private readonly worker: Worker;
  private readonly stopStream: () => void;
  private readonly follow: HTMLElement & { checked: boolean };
  private search = '';
  private status: Status | '' = '';
  private found = -1;
  private summaryTimer = 0;
  private followTimer = 0;
  /** A task that the address names and that has not come yet. */
  private awaited: string | null;

  constructor(
    link: Link,
    workerAddress: string,
    private readonly run: string,
    selected: string | null,
    saved: RunState | null,
    private readonly act: { selected(id: string): void; changed(): void; runs: (() => void) | null },
  ) {
    this.awaited = selected;
    this.worker = new Worker(workerAddress);
    this.graph = new GraphView(this.worker, saved?.graph ?? null, {
      selected: (key) => this.choose(key),
      moved: act.changed,
    });
    this.panel = new Panel(link, () => this.tasks, {
      go: (id) => {
        this.graph.select(id, true);
        this.choose(id);
      },
      close: () => {
        this.graph.select(null, false);
        this.panel.show(null);
        this.graph.focus();
      },
    });
    this.follow = checkbox(t('Follow what runs'), () => {
      this.act.changed();
      this.followSoon();
    });
    this.follow.checked = saved?.follow === true;
    this.note.setAttribute('role', 'status');
    this.root.append(
      element('h1', 'unseen', run),
      this.toolbar(),
      element('div', 'work', this.graph.root, this.panel.root),
      element('footer', '', this.summary, this.note),
      this.help,
    );
    this.stopStream = link.stream({ below: run }, (event) => {
      const wasWhole = this.tasks.whole;
      const { structure, changed } = applyEvent(this.tasks, event);
      this.count(event.type === 'reset', changed);
      const root = this.tasks.byId.get(run) ?? null;
      const isComplete = this.tasks.whole && !wasWhole;
      if (structure) this.graph.show(root, isComplete);
      else if (changed.length > 0) this.graph.refresh();
      this.panel.changed(changed);
      this.arrive();
      if (isComplete) this.tell();
      else this.summaryTimer ||= setTimeout(() => this.tell(), summaryMs);
    });
  }

  get state(): RunState {
    return { graph: this.graph.state, follow: this.follow.checked };
  }

  stop(): void {
    this.stopStream();
    this.worker.terminate();
    this.panel.stop();
  }

  /** Selects a task and shows where it is. */
  go(id: string): void {
    this.awaited = id;
    this.arrive();
  }

  private toolbar(): HTMLElement {
    const search = searchField(t('Search tasks'), (text) => {
      this.search = text.toLowerCase();
      this.found = -1;
      this.match();
    });
    search.element.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.next();
    });
    const choices = statuses.map((status) => ({ value: status, text: lookOf(status).word }));
    const filter = dropdown(t('Status'), [{ value: '', text: t('any status') }, ...choices], (value) => {
      this.status = value as Status | '';
      this.match();
    });
    const bar = element('div', 'toolbar');
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', t('Graph'));
    const { runs } = this.act;
    if (runs !== null) bar.append(button(t('All runs'), runs));
    const sign = (text: string, label: string, act: () => void) => {
      const made = button(text, act);
      made.setAttribute('aria-label', label);
      return made;
    };
    bar.append(
      search.element,
      filter,
      this.follow,
      sign('−', t('Zoom out'), () => this.graph.zoom(0.8)),
      sign('+', t('Zoom in'), () => this.graph.zoom(1.25)),
      button(t('Fit'), () => this.graph.fit()),
      sign('?', t('Keys and mouse'), () => this.help.showModal()),
    );
    return bar;
  }

  private choose(key: string | null): void {
    const entry = key === null ? undefined : this.tasks.byId.get(key);
    this.panel.show(entry ?? null);
    if (entry !== undefined) this.act.selected(entry.task.id);
  }

  private arrive(): void {
    if (this.awaited === null || !this.tasks.byId.has(this.awaited)) return;
    const id = this.awaited;
    this.awaited = null;
    this.graph.select(id, id !== this.run);
    this.choose(id);
  }

  private match(): void {
    const { search, status } = this;
    this.graph.matches =
      search === '' && status === ''
        ? null
        : ({ task }) =>
            (status === '' || task.status === status) &&
            (search === '' ||
              task.name.toLowerCase().includes(search) ||
              task.id.toLowerCase().includes(search));
    this.graph.refresh();
    this.tell();
  }

  private next(): void {
    const { matches } = this.graph;
    if (matches === null) return;
    const found = [...this.tasks.byId.values()].filter(
      (entry) => entry.task.id !== this.run && matches(entry),
    );
    if (found.length === 0) return;
    this.found = (this.found + 1) % found.length;
    const entry = found[this.found];
    if (entry === undefined) return;
    this.graph.select(entry.task.id, true);
    this.choose(entry.task.id);
  }

  /** Keeps the numbers right without a look at all tasks. */
  private count(reset: boolean, changed: readonly Entry[]): void {
    if (reset) {
      this.counts.fill(0);
      this.statusOf.clear();
      this.running.clear();
    }
    for (const entry of changed) {
      const { status } = entry.task;
      const before = this.statusOf.get(entry);
      if (before === status) continue;
      if (before !== undefined) this.counts[placeOf(before)] = (this.counts[placeOf(before)] ?? 0) - 1;
      this.counts[placeOf(status)] = (this.counts[placeOf(status)] ?? 0) + 1;
      this.statusOf.set(entry, status);
      if (status === 'RUNNING' && entry.children.length === 0) {
        this.running.add(entry);
        this.followSoon();
      } else this.running.delete(entry);
    }
  }

  private followSoon(): void {
    if (!this.follow.checked) return;
    this.followTimer ||= setTimeout(() => {
      this.followTimer = 0;
      if (this.follow.checked) this.graph.showAll([...this.running].slice(-mostFollowed));
    }, followMs);
  }

  private tell(): void {
    clearTimeout(this.summaryTimer);
    this.summaryTimer = 0;
    const { trouble, whole, byId } = this.tasks;
    const { matches } = this.graph;
    const matching = matches === null ? null : [...byId.values()].filter(matches).length;
    const found = matching === null ? '' : `${t('{0} found', numberText(matching))} · `;
    setText(this.summary, found + countsText(this.counts));
    const loading = whole ? '' : t('loading …');
    setText(this.note, trouble === null ? loading : t('{0}; trying again', trouble.replace(/\.$/, '')));
  }
}
