/**
 * What of a folder travels. git's own rules decide, as they would for `git ls-files -co --exclude-standard`; that
 * is what git would have in a clone, and what is new. So a tracked file is in, whatever pattern matches it. In a
 * folder without git, `.gitignore` files count all the same.
 *
 * `.vbatchignore` files have the same syntax, may lie in any folder, and come before all that. By themselves
 * they do what `.gitignore` files would. Where they bring back something that git leaves out, its folder may be
 * left out too: a pattern with a path to it (`!/data/a.csv`) is followed there, a bare name is not, because
 * the search for it would go through every `node_modules`.
 *
 * Paths have a character per byte, as `disk.ts` has them.
 */

import { within } from './paths.ts';
import { decide, leadsInto, type Patterns, parsePatterns } from './patterns.ts';
import type { Repository } from './repository.ts';

/** `through`: the folder itself is left out, but not all that is in it. */
export type Decision = 'in' | 'out' | 'through';

export interface IgnoreFiles {
  git: Uint8Array | null;
  vbatch: Uint8Array | null;
}

interface State {
  readonly repository: Repository;
  /** The folder that the repository's tracked paths are relative to. */
  readonly base: string;
  /** The nearest first: `.gitignore` files, then git's exclude files. */
  readonly git: readonly Patterns[];
  /** The nearest first. */
  readonly vbatch: readonly Patterns[];
  /** git leaves this folder out, so its rules have nothing to say about what is in it. */
  readonly isOutside: boolean;
}

/** What holds for the names of one folder. */
export class Rules {
  readonly #path: string;
  readonly #state: State;

  private constructor(path: string, state: State) {
    this.#path = path;
    this.#state = state;
  }

  /**
   * The rules of the workspace itself.
   *
   * @param outer the contents of the `.gitignore` files of the folders that the workspace is in, from the top of
   *   its repository on; null for a folder without one
   */
  static ofWorkspace(
    repository: Repository,
    outer: readonly (Uint8Array | null)[],
    files: IgnoreFiles,
  ): Rules {
    let rules = new Rules('', startOf(repository, '', repository.prefix));
    const names = repository.prefix === '' ? [] : repository.prefix.split('/');
    for (const [index, name] of names.entries()) {
      rules = rules.#with({ git: outer[index] ?? null, vbatch: null });
      // What somebody chose is not left out because of what it is in.
      if (rules.decide(name, true) === 'out') {
        return new Rules('', startOf({ ...repository, prefix: '', excludes: [] }, '', '')).#with(files);
      }
      rules = new Rules(within(rules.#path, name), rules.#state);
    }
    return rules.#with(files);
  }

  /** The rules of a folder in this one, which is not left out. A repository of its own starts git's rules anew. */
  enter(name: string, decision: Decision, repository: Repository | null, files: IgnoreFiles): Rules {
    const path = within(this.#path, name);
    const isOutside = decision === 'through';
    const state = repository
      ? { ...startOf(repository, path, path), vbatch: this.#state.vbatch, isOutside }
      : { ...this.#state, isOutside };
    return new Rules(path, state).#with(files);
  }

  /** Whether this name of the folder travels. */
  decide(name: string, isFolder: boolean): Decision {
    const path = within(this.#path, name);
    const { repository, base, git, vbatch, isOutside } = this.#state;
    const own = firstDecision(vbatch, path, isFolder);
    if (own !== null) return own;
    if (!isOutside && firstDecision(git, path, isFolder) !== 'out') return 'in';
    const inner = base === '' ? path : path.slice(base.length + 1);
    if (repository.tracked.has(inner)) return 'in';
    if (!isFolder) return 'out';
    const isOnTheWay = repository.trackedFolders.has(inner) || vbatch.some((each) => leadsInto(each, path));
    return isOnTheWay ? 'through' : 'out';
  }

  #with({ git, vbatch }: IgnoreFiles): Rules {
    const state = this.#state;
    return new Rules(this.#path, {
      ...state,
      git: git ? [parsePatterns(git, this.#path), ...state.git] : state.git,
      vbatch: vbatch ? [parsePatterns(vbatch, this.#path), ...state.vbatch] : state.vbatch,
    });
  }
}

/** @param top where the repository begins, for its exclude files */
function startOf(repository: Repository, top: string, base: string): State {
  const git = repository.excludes.map((contents) => parsePatterns(contents, top));
  return { repository, base, git, vbatch: [], isOutside: false };
}

function firstDecision(levels: readonly Patterns[], path: string, isFolder: boolean): 'in' | 'out' | null {
  for (const patterns of levels) {
    const decision = decide(patterns, path, isFolder);
    if (decision !== null) return decision;
  }
  return null;
}
