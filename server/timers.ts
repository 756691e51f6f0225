/** Time as a parameter, so that tests need not wait for it. */

export interface Timers {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Runs `action` once in `milliseconds`. Returns the way to call it off. */
  after(milliseconds: number, action: () => void): () => void;
}

/** The real time. A timer alone does not keep the process alive. */
export const realTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The real time, for a process that has nothing else to live for: it stays alive for its timers. */
export const lastingTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
};
