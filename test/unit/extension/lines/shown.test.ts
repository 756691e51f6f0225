import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Shown } from '../../../../extension/lines/shown.ts';

/** A tree that tests change, and a workbench that holds what it was given as VS Code does. */
function makeTree() {
  const children = new Map<string | null, string[]>();
  const looks = new Map<string, string>();
  const gone = new Set<string>();
  const shown = new Shown<string>({
    children: (node) => children.get(node) ?? [],
    // Of what is open, times that go on (a number at the end) are told no matter.
    look: (node, isOpen) => (looks.get(node) ?? node).replace(isOpen ? / \d+s$/ : '', ''),
    isThere: (node) => !gone.has(node),
    isNews: (node) => node === null || !node.startsWith('crowd'),
  });
  /** What the workbench holds below each node that it has asked for. */
  const held = new Map<string | null, readonly string[]>();
  const seen = new Map<string, string>();
  const fetch = (node: string | null) => {
    drop(node);
    const given = shown.giveChildren(node);
    for (const child of given) {
      if ([...held.values()].flat().includes(child)) throw new Error(`${child} is already registered`);
    }
    held.set(node, given);
    for (const child of given) {
      shown.giveNode(child);
      seen.set(child, looks.get(child) ?? child);
    }
    return given;
  };
  const drop = (node: string | null) => {
    for (const child of held.get(node) ?? []) drop(child);
    held.delete(node);
  };
  /** Carries a refresh out: nodes that were open are asked for again. */
  const refresh = (node: string | null) => {
    const open = [...held.keys()];
    drop(node);
    if (node !== null) {
      shown.giveNode(node);
      seen.set(node, looks.get(node) ?? node);
    }
    const reopen = (each: string | null) => {
      if (!open.includes(each)) return;
      for (const child of fetch(each)) reopen(child);
    };
    reopen(node);
  };
  return { children, looks, gone, shown, held, seen, fetch, refresh };
}

describe('what the workbench has been given', () => {
  it('changes are the nodes that look otherwise, or have other children; those alone, and once', () => {
    const { children, looks, shown, fetch, refresh } = makeTree();
    children.set(null, ['a', 'b']).set('a', ['a1', 'a2']);
    fetch(null);
    fetch('a');
    expect(shown.changes()).toEqual([]);
    looks.set('a2', 'new').set('b', 'new');
    expect(shown.changes()).toEqual(['a2', 'b']);
    expect(shown.changes()).toEqual([]);
    refresh('a2');
    refresh('b');
    children.set('a', ['a1']);
    expect(shown.changes()).toEqual(['a']);
    refresh('a');
    children.set(null, ['b', 'a']);
    expect(shown.changes()).toBeNull();
    refresh(null);
    expect(shown.changes()).toEqual([]);
  });

  it('leaves open nodes alone for a turn, with what is to be below them, and goes on below them', () => {
    const { children, looks, shown, fetch } = makeTree();
    children.set(null, ['a', 'b']).set('a', ['a1', 'a2']);
    fetch(null);
    fetch('a');
    looks.set('a', 'new').set('a1', 'new').set('b', 'new');
    children.set('a', ['a1', 'a2', 'a3']);
    expect(shown.changes({ open: false, news: false })).toEqual(['a1', 'b']);
    expect(shown.changes()).toEqual(['a']);
    children.set(null, ['b', 'a']);
    expect(shown.changes({ open: false, news: false })).toEqual([]);
    expect(shown.changes()).toBeNull();
  });

  it('news are what comes and goes, but for where many do all the time, and no other looks', () => {
    const { children, looks, shown, fetch, refresh } = makeTree();
    children.set(null, ['a', 'crowd']).set('a', ['a1']).set('crowd', ['c1', 'c2']);
    fetch(null);
    fetch('a');
    fetch('crowd');
    const news = { open: false, news: true };
    children.set('crowd', ['c2', 'c3']);
    looks.set('a', 'new');
    expect(shown.changes(news)).toEqual([]);
    children.set('a', ['a1', 'a2']);
    expect(shown.changes({ open: false, news: false })).toEqual([]);
    expect(shown.changes(news)).toEqual(['a']);
    refresh('a');
    expect(shown.changes()).toEqual(['crowd']);
    refresh('crowd');
    children.set(null, ['a', 'b', 'crowd']);
    expect(shown.changes(news)).toBeNull();
  });

  it('keeps what is selected where it is, with what is above it, until something else is or it is gone', () => {
    const { children, gone, shown, fetch, refresh } = makeTree();
    children.set(null, ['running', 'ended']).set('running', ['x', 'y']).set('ended', []);
    fetch(null);
    fetch('running');
    fetch('ended');
    shown.keep(['x']);
    children.set(null, ['ended']).set('running', []).set('ended', ['x', 'y']);
    expect(shown.changes()).toEqual(['running', 'ended']);
    refresh('running');
    refresh('ended');
    expect([fetch('running'), fetch('ended')]).toEqual([['x'], ['y']]);
    expect(shown.changes()).toEqual([]);
    // Also after all has been asked for anew, as when a run comes or goes.
    refresh(null);
    expect(shown.parentOf('x')).toBe('running');
    gone.add('x');
    expect(shown.changes()).toEqual(['running']);
    refresh('running');
    gone.delete('x');
    shown.keep([]);
    expect(shown.changes()).toBeNull();
    refresh(null);
    fetch('ended');
    expect(shown.parentOf('x')).toBe('ended');
    expect(shown.parentOf('running')).toBeUndefined();
  });

  it('keeps the order of what is kept among what comes and goes around it', () => {
    const { children, shown, fetch, refresh } = makeTree();
    children.set(null, ['g']).set('g', ['a', 'b', 'c', 'd']);
    fetch(null);
    fetch('g');
    shown.keep(['d', 'b']);
    children.set('g', ['a', 'c']);
    expect(shown.changes()).toEqual([]);
    children.set('g', ['c', 'e']);
    refresh('g');
    expect(fetch('g')).toEqual(['c', 'b', 'e', 'd']);
    expect(shown.isBelow('b', 'g')).toBe(true);
    expect(shown.isBelow('g', 'b')).toBe(false);
  });

  it('lets times go on in open nodes, and tells all others', () => {
    const { children, looks, shown, fetch } = makeTree();
    children.set(null, ['a', 'b']).set('a', ['a1']);
    fetch(null);
    fetch('a');
    looks.set('a', 'a 1s').set('a1', 'a1 1s').set('b', 'b 1s');
    expect(shown.changes()).toEqual(['a1', 'b']);
    looks.set('a', 'other 1s');
    expect(shown.changes()).toEqual(['a']);
  });

  it('does not look at what has not been asked for', () => {
    const { children, looks, shown, fetch } = makeTree();
    children.set(null, ['a']).set('a', ['a1']);
    fetch(null);
    looks.set('a1', 'new');
    children.set('a', ['a1', 'a2']);
    expect(shown.changes()).toEqual([]);
  });

  it('gives a node that has moved only when the workbench has let go of it', () => {
    const { children, shown, fetch, refresh } = makeTree();
    children.set(null, ['running', 'ended']).set('running', ['x', 'y']).set('ended', ['z']);
    fetch(null);
    fetch('running');
    children.set('running', ['y']).set('ended', ['x', 'z']);
    expect(fetch('ended')).toEqual(['z']);
    expect(shown.changes()).toEqual(['running', 'ended']);
    refresh('running');
    refresh('ended');
    expect(shown.parentOf('x')).toBe('ended');
    expect(shown.changes()).toEqual([]);
  });

  it('is up to date once its changes are carried out, and never gives a node twice, whatever happens', () => {
    const groups = ['g', 'h', 'i'];
    const step = fc.oneof(
      fc.record({ kind: fc.constant('move' as const), leaf: fc.nat(5), to: fc.nat(2) }),
      fc.record({ kind: fc.constant('look' as const), leaf: fc.nat(5), look: fc.nat(3) }),
      fc.record({ kind: fc.constant('open' as const), group: fc.nat(2) }),
      fc.record({ kind: fc.constant('flush' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { children, looks, shown, held, seen, fetch, refresh } = makeTree();
        children.set(null, groups);
        for (const group of groups) children.set(group, []);
        fetch(null);
        const flush = () => {
          for (const node of shown.changes() ?? [null]) refresh(node);
        };
        for (const each of steps) {
          if (each.kind === 'open') fetch(groups[each.group] as string);
          else if (each.kind === 'look') looks.set(`leaf${each.leaf}`, `look${each.look}`);
          else if (each.kind === 'flush') flush();
          else {
            for (const group of groups) {
              const rest = (children.get(group) ?? []).filter((leaf) => leaf !== `leaf${each.leaf}`);
              children.set(group, groups[each.to] === group ? [...rest, `leaf${each.leaf}`] : rest);
            }
          }
        }
        flush();
        flush();
        for (const [node, given] of held) {
          expect(given).toEqual(children.get(node));
          for (const leaf of given) expect(seen.get(leaf)).toBe(looks.get(leaf) ?? leaf);
        }
        expect(shown.changes()).toEqual([]);
      }),
    );
  });
});
