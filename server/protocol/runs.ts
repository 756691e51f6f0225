/** What crosses a process about the workspaces of runs. */
import { z } from 'zod';
import { absolutePath } from './tasks.ts';

const size = z.number().describe('Bytes; 0 for what is no file.');
const run = z.string().describe('Id of the run.');

export const fileChangeSchema = z.object({
  path: z.string().describe('From the folder of the workspace on.'),
  kind: z.enum(['file', 'link', 'folder']),
  change: z
    .enum(['none', 'new', 'changed', 'removed'])
    .describe('What has become of it since the run was submitted, or what the other side has.'),
  size,
});
export type FileChange = z.output<typeof fileChangeSchema>;

export const runFilesSchema = z.object({
  id: run,
  folder: z.string().describe('Of this machine, from which it was submitted and where results come.'),
  files: z.array(fileChangeSchema),
  left: z
    .array(z.object({ host: z.string(), place: z.string(), path: z.string(), size }))
    .describe('Results that have stayed on their hosts, and where; the latest 200.'),
  lost: z
    .array(z.object({ path: z.string(), size, by: z.string().describe('The task whose end won.') }))
    .describe('What was written by one task and then by another; `checkout` writes it too. The latest 200.'),
});
export type RunFiles = z.output<typeof runFilesSchema>;

export const runFilesQuerySchema = z.strictObject({
  all: z.boolean().default(false).describe('Also what has not changed since the submission.'),
});

export const runDiffQuerySchema = z.strictObject({
  with: z
    .string()
    .min(1)
    .optional()
    .describe('Id or name of another run; without it, the folder as it is now.'),
  contents: z.boolean().default(false).describe('Also what the files hold on both sides.'),
});

export const fileSideSchema = z.object({
  mode: z.enum(['100644', '100755', '120000']).describe('As git has it: a file, an executable one, a link.'),
  size,
  data: z
    .string()
    .nullable()
    .describe('Its bytes in base64, or the target of a link; null for what is no text or more than 1 MiB.'),
});
export type FileSide = z.output<typeof fileSideSchema>;

export const diffedFileSchema = fileChangeSchema.extend({
  here: fileSideSchema.nullable().optional().describe('What this run began with, if `contents` asks for it.'),
  there: fileSideSchema.nullable().optional().describe('What the other side has.'),
});
export type DiffedFile = z.output<typeof diffedFileSchema>;

export const runDiffSchema = z.object({
  id: run,
  with: z.string().nullable().describe('Id of the other run; null for the folder as it is now.'),
  files: z.array(diffedFileSchema).describe('What the other side has, or has not, that this run began with.'),
  command: z
    .object({ here: z.array(z.string()), there: z.array(z.string()) })
    .nullable()
    .describe('The command lines of the runs, where they differ.'),
  environment: z
    .array(z.object({ name: z.string(), here: z.string().nullable(), there: z.string().nullable() }))
    .describe('Variables that the submitters had set differently; null for one that was not set.'),
});
export type RunDiff = z.output<typeof runDiffSchema>;

export const checkoutRequestSchema = z.strictObject({
  directory: absolutePath.describe('Absolute path of a folder of this machine: a new or empty one.'),
  first: z.boolean().default(false).describe('What was submitted, not what the run has made of it.'),
});
export type CheckoutRequest = z.input<typeof checkoutRequestSchema>;

export const checkoutAnswerSchema = z.object({
  id: run,
  files: z.int(),
  bytes: z.number(),
  left: z
    .array(z.string())
    .describe('Paths that no file of this system can have, and links where it lets nobody make one.'),
});
export type CheckoutAnswer = z.output<typeof checkoutAnswerSchema>;
