/** Which of the known words somebody probably meant. */

/** How unlike two words may be, from 0 (the same) to 1 (nothing in common), to suggest one for the other. */
const largestUnlikeness = 0.4;
/** Longer words are compared by their beginnings: a person types names, not essays. */
const comparedLength = 64;

/** The candidate that `word` is most likely a misspelling of, or null where none is close to it. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  return mostAlike(word, candidates, largestUnlikeness);
}

/** The candidate most like `word`, however unlike it is; null only where there is no candidate. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  return mostAlike(word, candidates, 1);
}

/** The first of the best candidates that are at most `limit` unlike `word`. */
function mostAlike(word: string, candidates: Iterable<string>, limit: number): string | null {
  const wanted = normalized(word);
  let best: string | null = null;
  let least = limit;
  for (const candidate of candidates) {
    const found = unlikeness(wanted, normalized(candidate), least);
    if (found < least || (best === null && found === least)) {
      best = candidate;
      least = found;
    }
  }
  return best;
}

function normalized(word: string): string {
  return word.toLowerCase().slice(0, comparedLength);
}

/**
 * Edit distance as a share of the longer word. It is halved where one word begins with the other,
 * since `mem` for `memory` is an abbreviation and not three mistakes. May be any number above
 * `limit` where it is above `limit`.
 */
function unlikeness(a: string, b: string, limit: number): number {
  const longer = Math.max(a.length, b.length);
  if (longer === 0) return 0;
  const shorter = Math.min(a.length, b.length);
  if (shorter >= 2 && (a.startsWith(b) || b.startsWith(a))) return (longer - shorter) / longer / 2;
  if ((longer - shorter) / longer > limit) return 1;
  return editDistance(a, b) / longer;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`: the optimal
 * string alignment distance, which is Levenshtein's with swaps.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
