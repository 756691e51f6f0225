import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** The longest that something goes on without letting others have a turn, in milliseconds. */
const TURN = 4;

/** Lets long work over many small things give others a turn now and then. */
export class Breather {
  #since = performance.now();

  /** Whether it is time to `rest`. */
  get isDue(): boolean {
    return performance.now() - this.#since > TURN;
  }

  async rest(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
