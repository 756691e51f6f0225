/**
 * What crosses a process about tasks: requests, answers and stream messages. zod checks them at the
 * edge; inside, only the inferred types are used. The OpenAPI document is generated from here.
 */
import { z } from 'zod';

/** Linux refuses an argument of 128 KiB or more (MAX_ARG_STRLEN in include/uapi/linux/binfmts.h). */
export const maxArgumentBytes = 131_071;
/** What we let one command line weigh in all; Linux allows a quarter of the stack limit, 2 MiB by default. */
export const maxCommandBytes = 1_048_576;
/** Most submissions in one request. */
export const maxBatch = 1_000;
/** Largest request body. */
export const maxBodyBytes = 16 * 1024 * 1024;

const noNul = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL byte');
/** Of the machine that the server is on: on Windows it begins with a drive. */
export const absolutePath = noNul.regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)/, 'must be an absolute path');
export const argumentSchema = noNul.refine(
  (text) => Buffer.byteLength(text) <= maxArgumentBytes,
  `is longer than ${maxArgumentBytes} bytes, which no Unix host can start a program with`,
);
const variableName = noNul.refine(
  (name) => name !== '' && !name.includes('='),
  'is not the name of a variable',
);

const terminalSide = z.int().min(1).max(10_000);
export const terminalSizeSchema = z.strictObject({ rows: terminalSide, columns: terminalSide });
/** What TERM says; it becomes a variable on another machine. */
export const termSchema = z
  .string()
  .regex(/^[\w.+:-]{1,100}$/, 'is not the name of a kind of terminal')
  .describe('What kind of terminal, as in TERM.');
export const terminalSchema = terminalSizeSchema.extend({ term: termSchema });

export const dependencyKindSchema = z.enum(['success', 'fail', 'any']);

/** A value may be any text without NUL. */
export const variablesSchema = z.record(variableName, argumentSchema);

export const submissionSchema = z
  .strictObject({
    key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Repeating a submission with the same key makes nothing new (R4).'),
    name: noNul.min(1).max(1_000).optional().describe('Derived from the command where it is absent (R8).'),
    command: z.array(argumentSchema).min(1).describe('Program and arguments.'),
    directory: absolutePath.describe('Absolute working directory.'),
    pool: z.string().min(1).optional(),
    dependencies: z.array(z.strictObject({ kind: dependencyKindSchema, name: noNul.min(1) })).default([]),
    shards: z
      .strictObject({ total: z.int().min(1).max(100_000), limit: z.int().min(1).nullable().default(null) })
      .nullable()
      .default(null),
    gang: z.boolean().default(false),
    labels: z.record(z.string().min(1), z.string()).default({}),
    priority: z.int().default(0).describe('Lower goes first.'),
    timeLimit: z.number().positive().nullable().default(null).describe('Seconds.'),
    retries: z.int().min(0).max(1_000).default(0),
    allowFailure: z.boolean().default(false),
    cpus: z.number().min(0).optional(),
    gpus: z.int().min(0).optional(),
    memory: z.number().min(0).optional().describe('Bytes.'),
    environment: variablesSchema
      .optional()
      .describe("The submitter's whole environment; the host's own where it is absent."),
    variables: variablesSchema.default({}).describe('What -e sets.'),
    hold: z.boolean().default(false),
    awaited: z.boolean().default(false).describe('The submitter waits for the end, as vrun does.'),
    stdin: z
      .enum(['empty', 'open', 'terminal'])
      .default('empty')
      .describe('`open`: bytes can be typed into it. `terminal`: it runs in a terminal (R36).'),
    terminal: terminalSchema.optional().describe('The terminal to run in; goes with stdin `terminal`.'),
    workspace: absolutePath.nullable().default(null).describe('Folder that holds .vbatch/config.yaml.'),
    opened: z
      .array(absolutePath)
      .max(100)
      .default([])
      .describe(
        'Folders that the submitter has opened, such as those of an editor: the nearest one travels.',
      ),
    outputs: z
      .array(noNul.min(1))
      .min(1)
      .max(100)
      .optional()
      .describe('Globs of the results that come back; all come where it is absent.'),
  })
  .superRefine((submission, context) => {
    const refuse = (place: keyof typeof submission, message: string) =>
      context.addIssue({ code: 'custom', path: [place], message });
    if ((submission.stdin === 'terminal') !== (submission.terminal !== undefined)) {
      refuse('terminal', 'goes with stdin "terminal" and with nothing else');
    } else if (submission.terminal !== undefined) {
      if (submission.shards !== null) refuse('shards', 'cannot share one terminal');
      if (submission.retries > 0)
        refuse('retries', 'are not for a task with a terminal: a person starts it again');
    }
  })
  .describe('One task to be made.');

export type Submission = z.output<typeof submissionSchema>;
export type SubmissionInput = z.input<typeof submissionSchema>;

export const submitRequestSchema = z.strictObject({
  tasks: z.array(submissionSchema).min(1).max(maxBatch),
  dryRun: z.boolean().default(false).describe('Check everything, make nothing.'),
});
export type SubmitRequest = z.input<typeof submitRequestSchema>;

export const statusSchema = z.enum([
  'PENDING',
  'QUEUED',
  'STARTING',
  'RUNNING',
  'RUNNING_SUBTASKS',
  'SUCCESS',
  'FAILURE',
  'FAILED_UPSTREAM',
  'SKIPPED',
  'CANCELLED',
]);

const time = z.iso.datetime().nullable();

/** A task as every client sees it. Times are ISO 8601 UTC. */
export const taskViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  parent: z.string().nullable(),
  run: z.string(),
  status: statusSchema,
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  reason: z.string().nullable().describe('Why it waits or how it ended, in one sentence.'),
  pool: z.string(),
  host: z.string().nullable(),
  attempt: z.int().describe('Number of the latest attempt; 0 before the first.'),
  held: z.boolean().describe('Whether it is kept from starting until it is released.'),
  command: z.array(z.string()),
  cwd: z.string(),
  workspace: z
    .string()
    .nullable()
    .describe(
      "The folder here whose files the run's tasks have on other hosts, links in its path resolved; null where none travels.",
    ),
  labels: z.record(z.string(), z.string()),
  priority: z.int(),
  dependencies: z.array(
    z.object({
      name: z.string(),
      kind: dependencyKindSchema,
      state: z
        .enum(['waiting', 'met', 'failed', 'skipped', 'unknown'])
        .describe('`unknown`: no task bears the name yet.'),
      tasks: z
        .array(z.string())
        .describe('Ids of the tasks that it waits for or has waited for, the first 20.'),
      count: z.int().describe('How many they are.'),
    }),
  ),
  children: z.object({ total: z.int(), done: z.int(), failed: z.int() }),
  createdAt: z.iso.datetime(),
  startedAt: time.describe('Start of the latest attempt.'),
  finishedAt: time.describe("End of the task's own command."),
  resolvedAt: time.describe('When it and all its children were done.'),
  revision: z.int().describe('Sequence number of the last event that changed it.'),
});
export type TaskView = z.output<typeof taskViewSchema>;

export const stdinRequestSchema = z.strictObject({
  attempt: z.int().min(1).nullable().describe('The attempt meant; null before one is known.'),
  offset: z.int().min(0).describe("Where the bytes belong in that attempt's stdin."),
  data: z
    .base64()
    .max(64 * 1024)
    .describe('The bytes, in base64.'),
  end: z.boolean().default(false).describe('Nothing follows.'),
});
export type StdinRequest = z.input<typeof stdinRequestSchema>;

export const stdinResponseSchema = z.object({
  attempt: z
    .int()
    .nullable()
    .describe('The attempt under way. Where it is not the one meant, nothing was typed.'),
  open: z.boolean().describe('Whether its command takes more.'),
});
export type StdinResponse = z.output<typeof stdinResponseSchema>;

/** Answer for one submission of a request, in the order of the request. */
export const submitResultSchema = z.union([
  z.object({
    id: z.string(),
    notes: z.array(z.string()).describe('What a person should know, such as a shape cut to size.'),
  }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);
export type SubmitResult = z.output<typeof submitResultSchema>;
export const submitResponseSchema = z.object({ results: z.array(submitResultSchema) });

export const taskListSchema = z.object({
  tasks: z.array(taskViewSchema),
  next: z.string().nullable().describe('Pass as `after` for the next page; null on the last.'),
});
export type TaskList = z.output<typeof taskListSchema>;

export const explanationSchema = z.object({
  id: z.string(),
  status: statusSchema,
  sentences: z.array(z.string()),
});
export type Explanation = z.output<typeof explanationSchema>;

/** Answer of cancel, hold, release and retry for one task. */
export const actionResultSchema = z.object({
  id: z.string(),
  changed: z.boolean(),
  message: z.string().describe('What was done, or why nothing was.'),
});
export type ActionResult = z.output<typeof actionResultSchema>;

export const attemptViewSchema = z.object({
  number: z.int(),
  host: z.string(),
  state: z.enum(['starting', 'running', 'ended', 'lost']),
  gpus: z.array(z.int()),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  reason: z.string().nullable(),
  placedAt: z.iso.datetime(),
  startedAt: time,
  endedAt: time,
});

/** `GET /v1/tasks/{id}`: the task with what a list leaves out. */
export const taskDetailSchema = taskViewSchema.extend({
  attempts: z.array(attemptViewSchema),
  allowFailure: z.boolean(),
  timeLimit: z.number().nullable(),
  retries: z.int(),
  terminal: z.boolean().describe('Whether it runs in a terminal, to which `GET …/terminal` leads.'),
  shards: z.object({ total: z.int(), limit: z.int().nullable(), gang: z.boolean() }).nullable(),
});
export type TaskDetail = z.output<typeof taskDetailSchema>;

export const poolViewSchema = z.object({
  name: z.string(),
  hosts: z.array(z.string()),
  cpus: z.number(),
  memory: z.number().describe('Bytes; 0 for no claim.'),
  gpus: z.int(),
  slots: z.int().nullable().describe('Most tasks at once; null for no limit.'),
  running: z.int(),
  queued: z.int(),
  source: z.string().describe('The file that defines it, or `built in`.'),
});
export type PoolView = z.output<typeof poolViewSchema>;

/** What a host may ask of a person while it is being connected to; see hosts.ts. */
export const questionKinds = ['hostKey', 'passphrase', 'password', 'prompt'] as const;

export const hostViewSchema = z.object({
  name: z.string(),
  state: z
    .enum(['connecting', 'online', 'unreachable', 'disconnected'])
    .describe('`disconnected`: let go of until somebody connects it again.'),
  since: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
  question: z
    .enum(questionKinds)
    .nullable()
    .describe('What a person has to answer before it can be connected to, which POST connect asks.'),
  cpus: z.number(),
  memory: z.number(),
  gpus: z.array(
    z.object({
      index: z.int(),
      name: z.string(),
      memory: z.number().describe('Bytes.'),
      tasks: z.array(z.string()).describe('Those that hold it.'),
      other: z
        .object({
          user: z.string().nullable().describe('Null where that is not to be seen.'),
          memory: z.number().nullable().describe('Bytes that they have there, where that is told.'),
        })
        .nullable()
        .describe('Who uses it besides tasks: it is granted to nobody meanwhile.'),
    }),
  ),
  usedCpus: z.number(),
  usedMemory: z.number(),
  running: z.int(),
});
export type HostView = z.output<typeof hostViewSchema>;

export const serverViewSchema = z.object({
  version: z.string(),
  pid: z.int(),
  startedAt: z.iso.datetime(),
  home: z.string().describe('The state folder.'),
  tasks: z.int(),
  sequence: z.int(),
  problem: z.string().nullable().describe('What keeps it from accepting work, if anything does.'),
});
export type ServerView = z.output<typeof serverViewSchema>;

/**
 * Messages of the event stream, server to client. A client that reconnects passes the `sequence` of
 * the last `tasks` message it saw and gets every task that has changed since.
 */
export type StreamMessage =
  /**
   * First message on every connection. `reset`: forget everything, a full picture follows. It is
   * whole with the first `tasks` message that carries this `sequence` or a later one.
   */
  | { type: 'hello'; sequence: number; reset: boolean }
  /**
   * Changed tasks as they are now, parents before children; `removed` are ids that were pruned.
   * Whoever has this message and those before it has missed nothing up to `sequence`.
   */
  | { type: 'tasks'; sequence: number; tasks: TaskView[]; removed: string[] }
  | { type: 'hosts'; hosts: HostView[] }
  /** The client reads too slowly; the connection ends after this message. Reconnect and resume. */
  | { type: 'dropped'; sequence: number };
