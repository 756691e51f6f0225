import type { Loader } from '../../../server/store/load.ts';
import type { Source } from '../../../server/store/store.ts';

const KEYS = 300;

type Step = { step: number };
type Row = { key: number; step: number; padding: string };

/** A state that follows from the number of its events alone: each writes the next of 300 records. */
export class Progress implements Source<number>, Loader<Step, { steps: number }, Row> {
  steps = 0;
  private readonly rows = new Map<number, Row>();
  beforeChange: (key: number) => void = () => {};

  nextEvent(): Step {
    return { step: this.steps + 1 };
  }

  /** The step that wrote each record. */
  get form(): Map<number, number> {
    return new Map([...this.rows].map(([key, row]) => [key, row.step]));
  }

  replay({ step }: Step) {
    if (step !== this.steps + 1) throw new Error(`step ${step} after step ${this.steps}`);
    const key = step % KEYS;
    this.beforeChange(key);
    this.steps = step;
    this.rows.set(key, { key, step, padding: 'x'.repeat(200) });
  }
  header() {
    return { steps: this.steps };
  }
  keys() {
    return this.rows.keys();
  }
  record(key: number) {
    return this.rows.get(key);
  }
  restoreHeader({ steps }: { steps: number }) {
    this.steps = steps;
  }
  restore(row: Row) {
    this.rows.set(row.key, row);
  }
}

/** The form that this number of steps must have. */
export function formAfter(steps: number): Map<number, number> {
  const form = new Map<number, number>();
  for (let step = Math.max(1, steps - KEYS + 1); step <= steps; step++) form.set(step % KEYS, step);
  return form;
}
