/**
 * What the workbench has been given of the tree, and by that which nodes to refresh: those that would look
 * otherwise now, and nothing else. So nothing is ever missed, and a refresh costs by what is shown, not by
 * what happens. It also keeps a node from being given in two places at once, which the workbench refuses.
 */

/** What a tree is made of, as it would be now. */
export interface Source<Node> {
  /** @param node null for the top */
  children(node: Node | null): readonly Node[];
  /** All that is seen of a node, as text to compare. */
  look(node: Node): string;
}

/** A node that has been given. */
interface Given<Node> {
  /** Null for one at the top. */
  readonly under: Node | null;
  readonly look: string;
  /** What was given below it; null where nothing was, as it has not been asked for. */
  children: readonly Node[] | null;
  /** A refresh of it has been ordered, and is on its way. */
  isStale: boolean;
}

export class Shown<Node> {
  private top: readonly Node[] | null = null;
  private isTopStale = false;
  private readonly given = new Map<Node, Given<Node>>();

  constructor(private readonly source: Source<Node>) {}

  /**
   * The workbench asks what is below a node. What it still holds elsewhere is left out, until it has let go
   * of it: `changes` will have it in the end.
   */
  giveChildren(node: Node | null): readonly Node[] {
    this.forgetBelow(node);
    const children = this.source
      .children(node)
      .filter((child) => !this.given.has(child) || this.given.get(child)?.under === node);
    for (const child of children) {
      this.given.set(child, { under: node, look: this.source.look(child), children: null, isStale: false });
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
    if (given !== undefined) this.given.set(node, { ...given, look: this.source.look(node), isStale: false });
  }

  /**
   * The nodes to refresh, none of them below another; null where it is the whole tree. They are taken to be ordered.
   * @param heads also nodes that only look otherwise themselves, though the workbench has to ask for all that is below
   *   them anew as well
   */
  changes(heads = true): readonly Node[] | null {
    if (this.top === null || this.isTopStale) return [];
    if (this.differs(null, this.top)) {
      this.isTopStale = true;
      return null;
    }
    const changed: Node[] = [];
    for (const node of this.top) this.collect(node, heads, changed);
    return changed;
  }

  /** How many nodes the workbench holds. */
  get size(): number {
    return this.given.size;
  }

  /** What the workbench holds a node under: null for the top, undefined where it does not hold it. */
  parentOf(node: Node): Node | null | undefined {
    return this.given.get(node)?.under;
  }

  private collect(node: Node, heads: boolean, changed: Node[]): void {
    const given = this.given.get(node);
    if (given === undefined || given.isStale) return;
    const { children } = given;
    const isChanged =
      (children !== null && this.differs(node, children)) ||
      ((heads || children === null) && given.look !== this.source.look(node));
    if (isChanged) {
      given.isStale = true;
      changed.push(node);
      return;
    }
    for (const child of children ?? []) this.collect(child, heads, changed);
  }

  private differs(node: Node | null, given: readonly Node[]): boolean {
    const now = this.source.children(node);
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
