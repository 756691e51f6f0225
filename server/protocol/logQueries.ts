/** What may be asked of a task's output, and what is answered about it. The output itself is in logs.ts. */
import { z } from 'zod';

const attempt = z.int().min(1).optional().describe('Number of the attempt; the latest where it is absent.');
const ofBoth = z.int().min(0).optional();

export const logQuerySchema = z
  .strictObject({
    stream: z.enum(['stdout', 'stderr', 'both']).default('both'),
    attempt,
    offset: z.int().min(0).default(0).describe('First byte wanted of a single stream; 0 for both.'),
    stdout: ofBoth.describe('Of both streams: how many bytes of stdout to leave out. See `readLogPlace`.'),
    stderr: ofBoth.describe('The same of stderr.'),
    length: z.int().min(0).optional().describe('Most bytes wanted; all where it is absent.'),
    follow: z.boolean().default(false).describe('Keep sending until the task is done.'),
  })
  .superRefine(({ stream, offset, stdout, stderr }, context) => {
    const refuse = (place: string, message: string) =>
      context.addIssue({ code: 'custom', path: [place], message });
    if (stream === 'both' && offset > 0) refuse('offset', 'needs stream=stdout or stream=stderr');
    if (stream !== 'both' && stdout !== undefined) refuse('stdout', 'needs stream=both');
    if (stream !== 'both' && stderr !== undefined) refuse('stderr', 'needs stream=both');
  });
export type LogQuery = z.input<typeof logQuerySchema>;

export const outputQuerySchema = z.strictObject({
  attempt,
  tail: z.int().min(0).default(0).describe('About how many bytes of what was written before to begin with.'),
});

/** Messages of `followOutput` that are text. What a task has written comes as frames, in binary messages. */
export type OutputMessage =
  /** The first message. `before`: how many bytes of each stream come before the first that follows. */
  | { type: 'open'; attempt: number; before: { stdout: number; stderr: number } }
  /** The last message. */
  | { type: 'end' }
  | { type: 'failed'; error: { code: string; message: string } };

export const logPlaceQuerySchema = z.strictObject({
  attempt,
  position: z
    .int()
    .optional()
    .describe('Where in both streams, in bytes, in the order written. Negative: so many before the end.'),
});
export type LogPlaceQuery = z.input<typeof logPlaceQuerySchema>;

const position = z.int().describe('In both streams, in bytes, in the order written.');
const bytesOfEach = z.object({ stdout: z.int(), stderr: z.int() });

export const logPlaceSchema = z.object({
  attempt: z.int().describe('Number of the attempt; 0 before the first.'),
  over: z.boolean().describe('Whether the attempt writes no more.'),
  whole: z
    .boolean()
    .describe('Whether all that it has written so far can be read, or some is still on its host.'),
  size: bytesOfEach.describe('Bytes of each stream that can be read.'),
  position: position.describe('The place asked for, or the nearest there is; the end where none was.'),
  before: bytesOfEach.describe('Bytes of each stream before that place.'),
});
export type LogPlace = z.output<typeof logPlaceSchema>;

/** Most hits of one search. */
export const maxHits = 10_000;
/** Longest text to search for, in characters. */
export const maxSought = 1_000;

export const logSearchQuerySchema = z.strictObject({
  attempt,
  text: z
    .string()
    .min(1)
    .max(maxSought)
    .regex(/^[^\r\n]*$/, 'must be within one line')
    .describe('What to look for, within one line. Escape sequences in the output are passed over.'),
  matchCase: z.boolean().default(false).describe('Whether capital letters differ from small ones.'),
  limit: z.int().min(1).max(maxHits).default(1_000).describe('Ends after so many lines.'),
});
export type LogSearchQuery = z.input<typeof logSearchQuerySchema>;

/** Lines of the answer to a search, one JSON text each. */
export type LogSearchMessage =
  /**
   * A line that holds the text. `position` is that of its first byte, `line` its number within its stream
   * from 1. `text` is without escape sequences, cut to the surroundings of the first match, which is
   * `length` UTF-16 units long and begins at `at`.
   */
  | {
      type: 'hit';
      stream: 'stdout' | 'stderr';
      position: number;
      line: number;
      text: string;
      at: number;
      length: number;
    }
  /** How far it has come, from time to time. */
  | { type: 'progress'; searched: number; size: number }
  /** The last message. `complete` is false where `limit` ended it. */
  | { type: 'end'; searched: number; size: number; complete: boolean }
  /** The last message, where the log cannot be read on. */
  | { type: 'failed'; error: { code: string; message: string } };
