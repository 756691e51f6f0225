/** The output of a task as it crosses a process (http/frames.ts, client/logs.ts). */

/** A piece of a log: which stream, and its bytes. */
export interface LogChunk {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}
