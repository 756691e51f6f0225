/** The view of tasks: gives VS Code what it asks for, and tells it what changes, several times a second at most. */
import * as vscode from 'vscode';
import type { Parts } from '../connection/connection.ts';
import type { Look } from '../lines/look.ts';
import { Shown } from '../lines/shown.ts';
import { isDone } from '../statuses.ts';
import type { Entry } from './entries.ts';
import { lookOf, type TaskNode } from './look.ts';
import { Pace } from './pace.ts';
import { childrenOf, isThere, parentOf } from './taskNodes.ts';
import type { TaskStore } from './taskStore.ts';
import { taskTooltip } from './tooltip.ts';

/** Changes within this time are shown together. */
const gatherMs = 50;
/**
 * VS Code keeps some 230 bytes of every line that it is given for as long as there is the view: its ExtHostTreeView
 * registers a store for each with itself, and never takes it off. A hundred lines a second would be 80 MB in an hour.
 */
const lineCost = { lineMs: 50, creditMs: 30_000, longestMs: 10_000 };
/** The least time between two refreshes. */
const pauseMs = 500;
/**
 * The same for nodes that are open. With each, VS Code draws all that is below it anew, and lines move under the
 * pointer.
 */
const parentPauseMs = 1_000;
/** Times that go on are brought up to date this seldom on open nodes: what is below would flicker, and lose its hover. */
const openTickMs = 5_000;
/** How long somebody may take to read a hover: a line that is drawn anew loses it. */
const readingMs = 5_000;
/** Nothing moves this soon after a person has done something: it may be the first half of a double click. */
const calmMs = 600;
/** VS Code asks for what is below a node that was opened by then, or it has forgotten that it was. */
const openedMs = 400;
/** Times that go on are brought up to date this often. */
const tickMs = 1_000;

export class TasksView implements vscode.TreeDataProvider<TaskNode>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<TaskNode[] | undefined>();
  private readonly shown: Shown<TaskNode>;
  private readonly looks = new WeakMap<TaskNode, { at: number; look: Look }>();
  /** Ids of what is open: a group that was empty for a moment comes back as it was, which VS Code does not see to. */
  private readonly open = new Set<string>();
  private readonly disposables: vscode.Disposable[] = [this.changes];
  /** The next refresh, and when it is. */
  private gathering: { readonly timer: NodeJS.Timeout; readonly at: number } | null = null;
  private ticking: NodeJS.Timeout | null = null;
  private now = Date.now();
  private readonly pace = new Pace({ pauseMs, ...lineCost });
  private readonly parentPace = new Pace({ pauseMs: parentPauseMs, ...lineCost });
  /** When open nodes may be refreshed again for news, which do not wait for what others have cost. */
  private newsFrom = 0;
  /** Open nodes are left alone until then, and since when they have been. */
  private calmUntil = 0;
  private calmSince = 0;
  /** Whose hover is being read, and the time that its line tells meanwhile. */
  private read: { readonly node: TaskNode; readonly at: number; readonly until: number } | null = null;
  /** Calls back those who wait for the first picture. */
  private arrived: () => void = () => {};
  private arrival: Promise<void> | null = null;

  readonly onDidChangeTreeData = this.changes.event;
  readonly tree: vscode.TreeView<TaskNode>;

  constructor(
    private readonly parts: Parts,
    private readonly store: TaskStore,
  ) {
    this.shown = new Shown({
      children: (node) => childrenOf(store, node),
      look: (node, isOpen) =>
        textOf(isOpen ? lookOf(node, this.now - (this.now % openTickMs), vscode.l10n) : this.look(node)),
      isThere: (node) => isThere(store, node),
      // Runs, sub-tasks and groups of them; within a group tasks come and go all the time.
      isNews: (node) => node === null || node.kind === 'task',
    });
    this.tree = vscode.window.createTreeView('vbatch.tasks', {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    this.disposables.push(
      this.tree,
      this.tree.onDidChangeVisibility(() => this.attend()),
      this.tree.onDidExpandElement(({ element }) => {
        this.rest();
        this.open.add(this.look(element).id);
        setTimeout(() => void this.openAgain(element), openedMs);
      }),
      this.tree.onDidCollapseElement(({ element }) => {
        this.rest();
        this.open.delete(this.look(element).id);
        this.shown.keep(this.tree.selection.filter((node) => !this.shown.isBelow(node, element)));
      }),
      // What is selected stays where it is: a task that ends would else go to another group, perhaps a closed one.
      this.tree.onDidChangeSelection(({ selection }) => {
        this.rest();
        this.shown.keep(selection);
        this.changed();
      }),
    );
    this.attend();
  }

  /** Something has changed that may be seen. */
  changed(): void {
    if (!this.mustWait()) this.arrive();
    this.flushAt(Math.max(Date.now() + gatherMs, this.pace.from));
  }

  /** Shows a task to a person, wherever it is. */
  async reveal(entry: Entry): Promise<void> {
    // VS Code looks for it among what it has been given, and brings that up to date before.
    this.hurry();
    this.flush();
    await this.tree.reveal(entry, { select: true, focus: true, expand: !isDone(entry.status) });
  }

  async getChildren(node?: TaskNode): Promise<TaskNode[]> {
    if (node === undefined && this.mustWait()) await this.whenArrived();
    this.now = Date.now();
    if (node !== undefined) this.open.add(this.look(node).id);
    return [...this.shown.giveChildren(node ?? null)];
  }

  getTreeItem(node: TaskNode): vscode.TreeItem {
    this.shown.giveNode(node);
    const { id, label, description, icon, context, isParent, spoken } = this.look(node);
    const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, isParent ? (this.open.has(id) ? Expanded : Collapsed) : None);
    item.id = id;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(
      icon.name,
      icon.colour === null ? undefined : new vscode.ThemeColor(icon.colour),
    );
    item.contextValue = context;
    item.accessibilityInformation = { label: spoken };
    if (node.kind === 'task' && node.attempt > 0 && !isParent) {
      const title = vscode.l10n.t('Open Log');
      item.command = { command: 'vbatch.task.openLog', title, arguments: [{ id: node.id, isClick: true }] };
    }
    return item;
  }

  getParent(node: TaskNode): TaskNode | null {
    return this.shown.parentOf(node) ?? parentOf(node);
  }

  async resolveTreeItem(
    item: vscode.TreeItem,
    node: TaskNode,
    token: vscode.CancellationToken,
  ): Promise<vscode.TreeItem> {
    this.rest(readingMs);
    this.read = { node, at: this.now, until: Date.now() + readingMs };
    if (node.kind === 'task') item.tooltip = await taskTooltip(this.parts, node, token);
    return item;
  }

  dispose(): void {
    clearTimeout(this.gathering?.timer);
    if (this.ticking !== null) clearInterval(this.ticking);
    for (const each of this.disposables) each.dispose();
  }

  /** What nobody sees is not kept up to date, but brought up to date when it is seen again. */
  private attend(): void {
    if (this.ticking !== null) clearInterval(this.ticking);
    this.ticking = this.tree.visible ? setInterval(() => this.changed(), tickMs) : null;
    if (this.tree.visible) this.flush();
  }

  /** Everything is shown anew: another filter moves also what is selected. */
  refilter(): void {
    this.shown.keep([]);
    this.hurry();
    this.changed();
  }

  private flushAt(at: number): void {
    if (!this.tree.visible || (this.gathering !== null && this.gathering.at <= at)) return;
    clearTimeout(this.gathering?.timer);
    this.gathering = { timer: setTimeout(() => this.flush(), at - Date.now()), at };
  }

  private flush(): void {
    clearTimeout(this.gathering?.timer);
    this.gathering = null;
    this.now = Date.now();
    const isCalm = this.now < this.calmUntil;
    const due = {
      open: !isCalm && this.now >= this.parentPace.from,
      news: !isCalm && this.now >= this.newsFrom,
    };
    const nodes = this.shown.changes(due);
    const open = nodes?.filter((node) => this.shown.isOpen(node)) ?? [null];
    this.pace.spend((nodes?.length ?? 1) - open.length, this.now);
    if (open.length > 0) {
      this.parentPace.spend(
        open.reduce((sum, node) => sum + this.shown.sizeOf(node), 0),
        this.now,
      );
      this.newsFrom = this.now + parentPauseMs;
      this.calmSince = this.now;
    } else if (!due.open) {
      this.flushAt(Math.max(this.calmUntil, due.news ? this.parentPace.from : this.newsFrom));
    }
    if (nodes === null) this.changes.fire(undefined);
    else if (nodes.length > 0) this.changes.fire([...nodes]);
  }

  /** What is open is brought up to date with the next refresh. */
  private hurry(): void {
    this.calmUntil = 0;
    this.newsFrom = 0;
    this.parentPace.hurry();
  }

  /** Somebody works with the tree: what is open is left alone for a moment, but not for long. */
  private rest(milliseconds = calmMs): void {
    const now = Date.now();
    if (now >= this.calmUntil) this.calmSince = now;
    const longest = this.calmSince + Math.max(milliseconds, 2 * parentPauseMs);
    this.calmUntil = Math.max(this.calmUntil, Math.min(now + milliseconds, longest));
  }

  /** VS Code shows a node closed again that was opened while it asked for what is around it: this opens it. */
  private async openAgain(node: TaskNode): Promise<void> {
    const isWanted = this.open.has(this.look(node).id) && this.shown.parentOf(node) !== undefined;
    if (!isWanted || this.shown.isOpen(node)) return;
    try {
      await this.tree.reveal(node, { select: false, focus: false, expand: true });
    } catch {
      // It has gone meanwhile.
    }
  }

  /** A node's look at the time of this turn, made once for it. */
  private look(node: TaskNode): Look {
    const isRead = this.read?.node === node && this.now < this.read.until;
    const at = isRead ? (this.read?.at ?? this.now) : this.now;
    const known = this.looks.get(node);
    if (known !== undefined && known.at === at && !isRead) return known.look;
    const look = lookOf(node, at, vscode.l10n);
    this.looks.set(node, { at, look });
    return look;
  }

  /** Before the first picture is there, "no runs" would be a lie. */
  private mustWait(): boolean {
    const { kind } = this.parts.connection.state;
    return !this.store.whole && this.store.size === 0 && (kind === 'connecting' || kind === 'connected');
  }

  private whenArrived(): Promise<void> {
    this.arrival ??= new Promise((resolve) => {
      this.arrived = resolve;
    });
    return this.arrival;
  }

  private arrive(): void {
    this.arrived();
    this.arrival = null;
  }
}

function textOf({ label, description, icon, context, isParent }: Look): string {
  return [label, description, icon.name, icon.colour, context, isParent].join('\n');
}
