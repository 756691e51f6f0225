/** The page's side of the worker: one layout at a time, always of the newest plan. */
import type { OutlineBox, Places } from './place.ts';

export class Layouter<Plan> {
  private busy = false;
  private next: { plan: Plan; outline: OutlineBox } | null = null;
  private current: Plan | null = null;

  constructor(
    private readonly worker: Worker,
    private readonly done: (plan: Plan, places: Places) => void,
  ) {
    worker.addEventListener('message', ({ data }: MessageEvent<Places>) => {
      this.busy = false;
      const plan = this.current;
      this.advance();
      if (plan !== null) this.done(plan, data);
    });
  }

  /** Has a plan laid out. A plan that still waits for its turn is given up for it. */
  ask(plan: Plan, outline: OutlineBox): void {
    this.next = { plan, outline };
    this.advance();
  }

  private advance(): void {
    if (this.busy || this.next === null) return;
    const { plan, outline } = this.next;
    this.next = null;
    this.busy = true;
    this.current = plan;
    this.worker.postMessage(outline);
  }
}
