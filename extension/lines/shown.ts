/**
 * What the workbench has been given of the tree, and by that which nodes to refresh: those that would look
 * otherwise now, and nothing else. So nothing is ever missed, and a refresh costs by what is shown, not by
 * what happens. It also keeps a node from being given in two places at once, which the workbench refuses.
 */

/** What a tree is made of, as it would be now. */
export interface Source<Node> {
  /** @param node null for the top */
  children(node: Node | null): readonly Node[];
  /** All that is seen of a node, as text to compare. What is open may be said more coarsely: see `changes`. */
  look(node: Node, isOpen: boolean): string;
  /** Whether there still is such a node, wherever it belongs. */
  isThere(node: Node): boolean;
  /** Whether it is news that nodes come or go below this one, and not just that some of many move. */
  isNews(node: Node | null): boolean;
}

/** Which refreshes are due, besides those of nodes that are closed. */
export interface Due {
  /** Of open nodes, whatever has changed: with each, the workbench has to ask for all that is below anew. */
  readonly open: boolean;
  /** Of open nodes below which there is news. */
  readonly news: boolean;
}

/** A node that stays where it is, though it may belong elsewhere by now. */
interface Kept<Node> {
  readonly under: Node | null;
  /** Its place among what is below that. */
  at: number;
}

/** How a node looks while nothing below it is shown, and while something is. */
interface Looks {
  readonly closed: string;
  readonly open: string;
}

/** A node that has been given. */
interface Given<Node> {
  /** Null for one at the top. */
  readonly under: Node | null;
  readonly look: Looks;
  /** What was given below it; null where nothing was, as it has not been asked for. */
  children: readonly Node[] | null;
  /** A refresh of it has been ordered, and is on its way. */
  isStale: boolean;
}

export class Shown<Node> {
  private top: readonly Node[] | null = null;
  private isTopStale = false;
  private readonly given = new Map<Node, Given<Node>>();
  private readonly kept = new Map<Node, Kept<Node>>();

  constructor(private readonly source: Source<Node>) {}

  /**
   * The workbench asks what is below a node. What it still holds elsewhere is left out, until it has let go
   * of it: `changes` will have it in the end.
   */
  giveChildren(node: Node | null): readonly Node[] {
    this.forgetBelow(node);
    const children = this.childrenNow(node).filter(
      (child) => !this.given.has(child) || this.given.get(child)?.under === node,
    );
    for (const [at, child] of children.entries()) {
      this.given.set(child, { under: node, look: this.looks(child), children: null, isStale: false });
      const kept = this.kept.get(child);
      if (kept !== undefined) kept.at = at;
    }
    if (node === null) {
      this.top = children;
      this.isTopStale = false;
    } else {
      const given = this.given.get(node);
      if (given !== undefined) given.children = children;
    }
    return children;
  }

  /** The workbench asks for a node itself; of what is below, it has let go. */
  giveNode(node: Node): void {
    this.forgetBelow(node);
    const given = this.given.get(node);
    if (given !== undefined) this.given.set(node, { ...given, look: this.looks(node), isStale: false });
  }

  /** The nodes to refresh, none of them below another; null where it is the whole tree. They are taken to be ordered. */
  changes(due: Due = { open: true, news: true }): readonly Node[] | null {
    if (this.top === null || this.isTopStale) return [];
    if (this.hasOthers(null, this.top, due)) {
      this.isTopStale = true;
      return null;
    }
    const changed: Node[] = [];
    for (const node of this.top) this.collect(node, due, changed);
    return changed;
  }

  /** How many nodes the workbench holds. */
  get size(): number {
    return this.given.size;
  }

  /** How many nodes the workbench asks for when one is refreshed: itself, and all that it holds below; all for null. */
  sizeOf(node: Node | null): number {
    if (node === null) return this.size;
    return (this.given.get(node)?.children ?? []).reduce((sum, child) => sum + this.sizeOf(child), 1);
  }

  /** What the workbench holds a node under: null for the top, undefined where it does not hold it. */
  parentOf(node: Node): Node | null | undefined {
    return this.given.get(node)?.under;
  }

  /** Whether the workbench has asked what is below a node. */
  isOpen(node: Node): boolean {
    return (this.given.get(node)?.children ?? null) !== null;
  }

  /**
   * These nodes, and those above them, stay where the workbench has them for as long as there are such nodes, until
   * others are kept.
   */
  keep(nodes: readonly Node[]): void {
    this.kept.clear();
    for (const node of nodes) {
      for (let each: Node | null = node; each !== null && !this.kept.has(each); ) {
        const under = this.parentOf(each);
        if (under === undefined) break;
        const siblings = under === null ? this.top : this.given.get(under)?.children;
        this.kept.set(each, { under, at: siblings?.indexOf(each) ?? 0 });
        each = under;
      }
    }
  }

  /** Whether a node is, or was given, below another. */
  isBelow(node: Node, above: Node): boolean {
    for (let each = this.parentOf(node); each !== null && each !== undefined; each = this.parentOf(each)) {
      if (each === above) return true;
    }
    return false;
  }

  private collect(node: Node, due: Due, changed: Node[]): void {
    const given = this.given.get(node);
    if (given === undefined || given.isStale) return;
    const { children } = given;
    const isChanged =
      children === null
        ? given.look.closed !== this.source.look(node, false)
        : (due.open && given.look.open !== this.source.look(node, true)) ||
          this.hasOthers(node, children, due);
    if (isChanged) {
      given.isStale = true;
      changed.push(node);
      return;
    }
    for (const child of children ?? []) this.collect(child, due, changed);
  }

  private looks(node: Node): Looks {
    return { closed: this.source.look(node, false), open: this.source.look(node, true) };
  }

  /** What is to be below a node now: what belongs there, with what is kept there, without what is kept elsewhere. */
  private childrenNow(node: Node | null): readonly Node[] {
    const own = this.source.children(node);
    if (this.kept.size === 0) return own;
    const children = own.filter((child) => {
      const kept = this.kept.get(child);
      return kept === undefined || kept.under === node;
    });
    const present = new Set(children);
    const more = [...this.kept].filter(
      ([child, { under }]) => under === node && !present.has(child) && this.source.isThere(child),
    );
    for (const [child, { at }] of more.sort(([, a], [, b]) => a.at - b.at)) children.splice(at, 0, child);
    return children;
  }

  /** Whether there are to be other nodes below this one than were given, and a refresh for that is due. */
  private hasOthers(node: Node | null, given: readonly Node[], due: Due): boolean {
    if (!due.open && !(due.news && this.source.isNews(node))) return false;
    const now = this.childrenNow(node);
    return now.length !== given.length || now.some((child, at) => child !== given[at]);
  }

  private forgetBelow(node: Node | null): void {
    const children = node === null ? this.top : this.given.get(node)?.children;
    for (const child of children ?? []) {
      this.forgetBelow(child);
      this.given.delete(child);
    }
    if (node === null) this.top = null;
    else {
      const given = this.given.get(node);
      if (given !== undefined) given.children = null;
    }
  }
}
