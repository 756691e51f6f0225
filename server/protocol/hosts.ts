/** What crosses a process when a person sets a host up: questions, reports and what is removed. */
import { z } from 'zod';
import { absolutePath, hostViewSchema, questionKinds } from './tasks.ts';

export const questionSchema = z
  .object({
    id: z.string().describe('To answer it by.'),
    kind: z.enum(questionKinds),
    host: z.string().describe('Who asks, or is asked about: the host, or one on the way to it.'),
    text: z.string().describe('The question as a person is to see it; it may have several lines.'),
    echo: z.boolean().describe('Whether the answer may be seen while it is typed.'),
    fingerprint: z.string().nullable().describe('Of a host key, as OpenSSH shows it; else null.'),
  })
  .describe('What only a person can answer. A host key is accepted by `yes` or by its fingerprint.');
export type Question = z.output<typeof questionSchema>;

const workspace = absolutePath.optional().describe('Folder whose .vbatch/config.yaml may name the host.');

export const connectRequestSchema = z.strictObject({ workspace }).describe('Where the host is named.');
export type ConnectRequest = z.output<typeof connectRequestSchema>;

export const answerRequestSchema = z
  .strictObject({
    id: z.string(),
    answer: z.string().nullable().describe('Null where there is none, which gives the connection up.'),
  })
  .describe('The answer to a question. It is kept in memory only, and never logged.');
export type AnswerRequest = z.output<typeof answerRequestSchema>;

export const connectResponseSchema = z
  .object({
    host: hostViewSchema,
    question: questionSchema.nullable().describe('To be answered first; null where the host is online.'),
  })
  .describe('What has come of it so far.');
export type ConnectResponse = z.output<typeof connectResponseSchema>;

export const addHostRequestSchema = z
  .strictObject({
    name: z.string(),
    host: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('What the configuration is to say of it, as config.schema.json has it.'),
  })
  .describe("A host for the user's configuration file.");
export type AddHostRequest = z.input<typeof addHostRequestSchema>;

export const removeHostRequestSchema = z
  .strictObject({
    force: z.boolean().default(false).describe('Also while tasks run there, which go on.'),
  })
  .describe('How to take a host out of the configuration.');
export type RemoveHostRequest = z.input<typeof removeHostRequestSchema>;

export const hostWrittenSchema = z.object({
  file: z.string().describe("The user's configuration file."),
  changed: z.boolean().describe('False where it said so already.'),
});
export type HostWritten = z.output<typeof hostWrittenSchema>;

export const findingSchema = z.object({
  topic: z.string(),
  status: z.enum(['ok', 'warning', 'failure']),
  text: z.string(),
  fix: z.string().nullable().describe('What to do about it, where something is to be done.'),
});
export type Finding = z.output<typeof findingSchema>;

export const hostReportSchema = z
  .object({ host: z.string(), findings: z.array(findingSchema) })
  .describe('What was found out about a host, from the way to it on.');
export type HostReport = z.output<typeof hostReportSchema>;

/** How a state folder names itself on other machines. */
export const identityPattern = /^[0-9a-f]{24}$/;

export const pruneHostRequestSchema = z
  .strictObject({
    folders: z
      .array(z.string().regex(identityPattern, 'is not the name of a folder of a server'))
      .default([])
      .describe('Folders of other servers to remove; one in which something runs stays.'),
  })
  .describe('What to remove besides what this server has left.');
export type PruneHostRequest = z.input<typeof pruneHostRequestSchema>;

export const prunedSchema = z
  .object({
    freed: z.number().describe('Bytes.'),
    attempts: z.int().describe('Attempts of which something was left.'),
    versions: z.int().describe("Versions of vbatch's scripts."),
    environments: z.int(),
    folders: z.int().describe('Folders of other servers.'),
    others: z
      .array(
        z.object({
          folder: z.string(),
          bytes: z.number(),
          usedAt: z.iso.datetime().nullable(),
          busy: z.boolean().describe('Something of it runs.'),
        }),
      )
      .describe('Folders of other servers that are still there.'),
  })
  .describe('What was removed from a host, and what could be.');
export type Pruned = z.output<typeof prunedSchema>;
