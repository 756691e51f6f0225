/**
 * The view of hosts and pools. That hosts come, go or are lost is told by the event stream; how much of hosts and pools
 * is in use is asked for while somebody looks.
 */
import * as vscode from 'vscode';
import type { HostView, PoolView } from '../../server/protocol/tasks.ts';
import type { Parts } from '../connection/connection.ts';
import { Shown } from '../lines/shown.ts';
import { hostLookOf } from './hostLook.ts';
import { type CheckedHost, type HostNode, hostNodes, type Machines, parentIdOf } from './hostNodes.ts';
import { workspaceOf } from './workspace.ts';

/** What is in use is asked for no more often than this. */
const usageMs = 2_000;
/** And at least as often: not all that changes it is told. */
const lookMs = 5_000;

export class HostsView implements vscode.TreeDataProvider<HostNode>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<HostNode[] | undefined>();
  private readonly shown: Shown<HostNode>;
  /** The one object for each id, by which VS Code knows a node again. */
  private readonly nodes = new Map<string, HostNode>();
  private readonly disposables: vscode.Disposable[] = [this.changes];
  private readonly reports = new Map<string, CheckedHost>();
  private hosts: readonly HostView[] = [];
  private pools: readonly PoolView[] = [];
  /** Runs while it is too early to ask again. */
  private asking: NodeJS.Timeout | null = null;
  private isAskedAgain = false;
  private looking: NodeJS.Timeout | null = null;
  /** How often the stream has told of the hosts. */
  private told = 0;

  readonly onDidChangeTreeData = this.changes.event;
  readonly tree: vscode.TreeView<HostNode>;

  constructor(private readonly parts: Parts) {
    this.shown = new Shown({
      children: (node) => this.childrenOf(node),
      look: (node) => {
        const { label, description, icon, context, isParent } = this.look(node);
        return [label, description, icon.name, icon.colour, context, isParent].join('\n');
      },
      isThere: (node) => this.nodes.get(node.id) === node,
      isNews: () => true,
    });
    this.tree = vscode.window.createTreeView('vbatch.hosts', { treeDataProvider: this });
    this.disposables.push(
      this.tree,
      this.tree.onDidChangeVisibility(() => this.attend()),
    );
    this.attend();
  }

  get names(): string[] {
    return this.hosts.map(({ name }) => name);
  }

  host(name: string): HostView | undefined {
    return this.hosts.find((each) => each.name === name);
  }

  setHosts(hosts: readonly HostView[]): void {
    this.told += 1;
    this.hosts = hosts;
    for (const name of this.reports.keys()) if (!this.names.includes(name)) this.reports.delete(name);
    this.refresh();
    this.askForUsage();
  }

  /** Keeps what was found about a host below it, until it is checked again. */
  setReport(report: CheckedHost): void {
    this.reports.set(report.host, report);
    this.refresh();
  }

  /** Shows what was found about a host to a person. */
  async showReport(name: string): Promise<void> {
    this.refresh();
    const host = this.nodes.get(`host ${name}`);
    const node = host && this.childrenOf(host).find(({ kind }) => kind === 'report');
    if (node !== undefined) await this.tree.reveal(node, { select: true, focus: true, expand: true });
  }

  /** What is in use may have changed. */
  askForUsage(): void {
    const { kind } = this.parts.connection.state;
    if (!this.tree.visible || this.hosts.length === 0 || kind !== 'connected') return;
    this.isAskedAgain = this.asking !== null;
    if (this.asking !== null) return;
    this.asking = setTimeout(() => {
      this.asking = null;
      if (this.isAskedAgain) this.askForUsage();
    }, usageMs);
    void this.fetchUsage();
  }

  /** Nothing is known of the server any more. */
  clear(): void {
    this.hosts = [];
    this.pools = [];
    this.refresh();
  }

  getChildren(node?: HostNode): HostNode[] {
    return [...this.shown.giveChildren(node ?? null)];
  }

  getParent(node: HostNode): HostNode | null {
    const id = parentIdOf(node);
    return id === null ? null : (this.nodes.get(id) ?? null);
  }

  getTreeItem(node: HostNode): vscode.TreeItem {
    this.shown.giveNode(node);
    const { id, label, description, icon, context, isParent, isOpen, spoken } = this.look(node);
    const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, isParent ? (isOpen ? Expanded : Collapsed) : None);
    item.id = id;
    item.description = description;
    const colour = icon.colour === null ? undefined : new vscode.ThemeColor(icon.colour);
    item.iconPath = new vscode.ThemeIcon(icon.name, colour);
    item.contextValue = context;
    item.accessibilityInformation = { label: spoken };
    item.tooltip = `${label}\n${description}`;
    const [task] = node.kind === 'gpu' ? node.gpu.tasks : [];
    if (node.kind === 'add') item.command = { command: 'vbatch.host.add', title: label };
    if (task !== undefined) {
      item.command = {
        command: 'vbatch.task.reveal',
        title: vscode.l10n.t('Show Task'),
        arguments: [{ id: task }],
      };
    }
    return item;
  }

  dispose(): void {
    if (this.asking !== null) clearTimeout(this.asking);
    if (this.looking !== null) clearInterval(this.looking);
    for (const each of this.disposables) each.dispose();
  }

  /** What nobody sees is not asked for. */
  private attend(): void {
    if (this.looking !== null) clearInterval(this.looking);
    this.looking = this.tree.visible ? setInterval(() => this.askForUsage(), lookMs) : null;
    this.askForUsage();
  }

  private async fetchUsage(): Promise<void> {
    try {
      const client = await this.parts.connection.running();
      const { told } = this;
      const [hosts, pools] = await Promise.all([client.hosts(), client.pools(workspaceOf())]);
      // What the stream has told meanwhile is newer.
      if (told === this.told) this.hosts = hosts;
      this.pools = pools;
      this.refresh();
    } catch (error) {
      this.parts.log.debug(`what is in use could not be asked for: ${(error as Error).message}`);
    }
  }

  private refresh(): void {
    const nodes = this.shown.changes();
    if (nodes === null) this.changes.fire(undefined);
    else if (nodes.length > 0) this.changes.fire([...nodes]);
  }

  private look(node: HostNode) {
    return hostLookOf(node, Date.now(), vscode.l10n);
  }

  /** Nodes as they are now; each in the object that VS Code has for it. */
  private childrenOf(node: HostNode | null): HostNode[] {
    const machines: Machines = { hosts: this.hosts, pools: this.pools, reports: this.reports };
    return hostNodes(machines, node).map((fresh) => {
      const known = this.nodes.get(fresh.id);
      if (known === undefined) {
        this.nodes.set(fresh.id, fresh);
        return fresh;
      }
      return Object.assign(known, fresh);
    });
  }
}
