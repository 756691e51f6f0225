/** What goes over the WebSocket of a terminal. Binary messages are the bytes themselves, in both directions. */
import { z } from 'zod';
import type { ErrorBody } from './errors.ts';
import { terminalSchema, terminalSizeSchema } from './tasks.ts';

/** `GET /v1/tasks/{id}/terminal` */
export const terminalQuerySchema = terminalSizeSchema;
export type TerminalQuery = z.input<typeof terminalQuerySchema>;

/** `GET /v1/tasks/{id}/shell` */
export const shellQuerySchema = terminalSchema.extend({
  command: z
    .string()
    .optional()
    .describe('What to run, as a JSON array of its words; else the login shell of the host.'),
});
export type ShellQuery = z.input<typeof shellQuerySchema>;

/** What a client says in a text message. */
export const terminalRequestSchema = terminalSizeSchema.extend({ type: z.literal('resize') });
export type TerminalRequest = z.input<typeof terminalRequestSchema>;

/** What the server says in a text message. */
export type TerminalMessage =
  /** What follows is what the terminal shows, and what is typed reaches it. Null beside a task. */
  | { type: 'open'; attempt: number | null }
  /**
   * The last message. `lost` says why, as a clause, where the terminal is gone but not because its command has
   * ended. `exitCode` is that of what ran beside a task, where it is known.
   */
  | { type: 'ended'; exitCode: number | null; lost: string | null }
  /** The last message, where there is no terminal to be had. */
  | { type: 'failed'; error: ErrorBody['error'] };
