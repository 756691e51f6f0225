/** What a measurement is, and what it gives. */
import type { Bench } from './bench.ts';

export type Unit = 'ms' | 's' | 'MB' | '/s';

/** One figure of vbatch's, beside the same figure of something else in the same run. */
export interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly value: number;
  /** A floor that nothing can be below, or a peer that does the same work. */
  readonly beside: { readonly what: string; readonly value: number };
  /** What is aimed at: an upper limit of the ratio, or of the value itself. Null where nothing is. */
  readonly goal: { readonly of: 'ratio' | 'value'; readonly most: number } | null;
}

export interface Measure {
  /** By which it is chosen on the command line. */
  readonly name: string;
  /** How it is measured: sentences for docs/benchmarks.md. */
  readonly how: string;
  /** Programs without which it cannot run. */
  readonly needs: readonly string[];
  /** Whether only root can run it. */
  readonly asRoot?: true;
  run(bench: Bench): Promise<Row[]>;
}

/** How many times as much time or memory vbatch takes as what it is compared with. */
export function ratioOf({ unit, value, beside }: Row): number {
  return unit === '/s' ? beside.value / value : value / beside.value;
}
