/**
 * What goes into the query string of a request, and the answers that are not about one task. Like
 * the schemas beside them (tasks.ts), these are what the OpenAPI document is generated from.
 */
import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { absolutePath, hostViewSchema, poolViewSchema, statusSchema, taskViewSchema } from './tasks.ts';

const id = z.string().min(1).describe("A task's id, or the name of a run (the newest of that name).");

/** Most tasks on one page of a list. */
export const maxPage = 1_000;
/** Most tasks in one tree. */
export const maxTree = 10_000;

export const listQuerySchema = z.strictObject({
  parent: id.optional().describe('Only the children of this task.'),
  top: z.boolean().default(false).describe('Only runs: tasks without a parent.'),
  below: id.optional().describe('Only what lies below this task, at any depth.'),
  status: z.array(statusSchema).min(1).optional().describe('Any of these; repeated or with commas.'),
  pool: z.string().min(1).optional(),
  label: z
    .array(z.string().regex(/^[^=]+=/, 'must look like KEY=VALUE'))
    .min(1)
    .optional()
    .describe('KEY=VALUE; all of them where it is repeated.'),
  text: z.string().min(1).optional().describe('A glob or plain text within the name or the id.'),
  limit: z.int().min(1).max(maxPage).default(100).describe('Most tasks in the answer.'),
  after: z.string().min(1).optional().describe('`next` of the page before.'),
});
export type ListQuery = z.input<typeof listQuerySchema>;

export const treeQuerySchema = z.strictObject({
  limit: z.int().min(1).max(maxTree).default(maxPage).describe('Most tasks in the answer.'),
});
export type TreeQuery = z.input<typeof treeQuerySchema>;

export const treeSchema = z.object({
  tasks: z.array(taskViewSchema).describe('The task and what lies below it, parents before children.'),
});

export const poolsQuerySchema = z.strictObject({
  workspace: absolutePath.optional().describe('Folder whose .vbatch/config.yaml applies too.'),
});

export const eventsQuerySchema = z.strictObject({
  after: z
    .int()
    .min(0)
    .optional()
    .describe('`sequence` of the last `tasks` message; the full picture where it is absent or 0.'),
  below: id.optional().describe('Only this task and what lies below it.'),
  top: z.boolean().default(false).describe('Only runs: tasks without a parent.'),
});
export type EventsQuery = z.input<typeof eventsQuerySchema>;

export const ticketResponseSchema = z.object({ ticket: z.string() });
export const keyRequestSchema = z
  .strictObject({ ticket: z.string().min(1).max(100) })
  .describe('What an address of the graph page carries.');
export const keyResponseSchema = z.object({
  key: z.string().describe('A token, good until the server ends.'),
});
export const passRequestSchema = z.strictObject({ key: z.string().min(1).max(100) });
export const passResponseSchema = z
  .object({ page: z.string(), secret: z.base64url() })
  .describe('What the page comes back in with when the server was started anew. It never sends the secret.');
export const returnRequestSchema = z.strictObject({
  page: z.string().min(1).max(100),
  challenge: z.string().min(1).max(100).describe('Random text of the page.'),
});
export const returnResponseSchema = z.object({
  nonce: z.string().describe('The new key is the HMAC-SHA256, by the secret, of `page NONCE`, in base64url.'),
  proof: z.base64url().describe('The HMAC of `server NONCE PORT CHALLENGE`: no other server can make it.'),
});

export const pruneRequestSchema = z
  .strictObject({
    before: z.iso.datetime().optional().describe('Only runs that ended before this time; now if absent.'),
    keep: z.int().min(0).default(0).describe('How many of the newest of those runs stay.'),
  })
  .describe('Which finished runs to remove.');
export type PruneRequest = z.input<typeof pruneRequestSchema>;

export const pruneResponseSchema = z.object({
  removed: z.array(z.string()).describe('Ids of all the tasks that are gone.'),
});
export const poolListSchema = z.object({ pools: z.array(poolViewSchema) });
export const hostListSchema = z.object({ hosts: z.array(hostViewSchema) });
export const stopResponseSchema = z.object({ pid: z.int().describe('The process that is about to end.') });

export const errorBodySchema = z
  .object({ error: z.object({ code: z.enum(errorCodes), message: z.string() }) })
  .describe('What went wrong, in a sentence or two for a person.');
