/**
 * What may stand in a configuration file. Each `error` completes the sentence "KEY is VALUE; it must
 * be …". Descriptions and examples reach editors through the JSON schema.
 */
import { z } from 'zod';
import {
  durationExamples,
  durationPattern,
  parseDuration,
  parseSize,
  sizeExamples,
  sizePattern,
} from '../protocol/quantities.ts';

/** Longest grace: what is longer is a mistake, and timers cannot count beyond 24 days. */
const longestGrace = 86_400;
/** Most GPUs of a host: what is more is a mistake, and every one is counted by its index. */
const mostGpus = 1_024;
/** Highest port of TCP. */
const highestPort = 65_535;

const nameRule = 'letters, digits, ".", "_" and "-", and begin with a letter or digit';
const name = (noun: string) =>
  z.string({ error: `the name of a ${noun}` }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
    error: `the name of a ${noun}: names have only ${nameRule}`,
  });

const text = (error: string) =>
  z.string({ error }).refine((value) => !value.includes('\0'), { error: `${error}, without NUL bytes` });

const sizeError = `a size: ${sizeExamples}`;
const size = z.union(
  [
    z
      .string()
      .regex(sizePattern, { error: sizeError })
      .refine((value) => read(parseSize, value) !== null, { error: sizeError }),
    z.int({ error: sizeError }).min(0, sizeError),
  ],
  { error: sizeError },
);

const graceError = `a duration with its unit, up to a day: ${durationExamples}`;
const grace = z
  .string({ error: graceError })
  .regex(durationPattern, { error: graceError })
  .refine((value) => (read(parseDuration, value) ?? Number.POSITIVE_INFINITY) <= longestGrace, {
    error: graceError,
  });

/** Null for what `parse` refuses though it matches the pattern, such as `1:00:90`. */
function read(parse: (value: string) => number, value: string): number | null {
  try {
    return parse(value);
  } catch {
    return null;
  }
}

const cpusError = 'a number of CPUs, 0 or more; fractions such as 0.5 are fine';
const cpus = z.number({ error: cpusError }).min(0, cpusError);
const gpusError = `a whole number of GPUs from 0 to ${mostGpus}`;
const gpus = z.int({ error: gpusError }).min(0, gpusError).max(mostGpus, gpusError);
const gpuOrderError = 'reverse, or a list of indexes of GPUs, each once, such as [1, 0]';
const gpuIndexError = `the index of a GPU, from 0 to ${mostGpus - 1}`;
const gpuIndex = z
  .int()
  .min(0, gpuIndexError)
  .max(mostGpus - 1, gpuIndexError);
const gpuOrder = z.union(
  [
    z.literal('reverse'),
    z
      .array(gpuIndex)
      .min(1, gpuOrderError)
      .refine((order) => new Set(order).size === order.length, { error: gpuOrderError }),
  ],
  { error: gpuOrderError },
);
const slotsError = 'a whole number of tasks, 1 or more';
const slots = z.int({ error: slotsError }).min(1, slotsError);

const setup = text('shell lines').meta({
  description: "Shell lines that run before a task's command, in the same shell.",
  examples: ['source ~/venv/bin/activate'],
});

const variableError = 'text, a number, true or false (write "" for an empty value)';
const env = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error: 'the name of a variable: letters, digits and "_", not beginning with a digit',
    }),
    z.union([text(variableError), z.number(), z.boolean()], { error: variableError }),
    { error: 'a mapping from names of variables to values, such as { OMP_NUM_THREADS: 16 }' },
  )
  .nullable()
  .meta({
    description: 'Environment variables of every task here. Values are passed on as they are written.',
    examples: [{ OMP_NUM_THREADS: 16 }],
  });

const sshError = 'where to connect: HOST, USER@HOST or USER@HOST:PORT';
const sshPattern =
  /^(?:[A-Za-z0-9_][^\s@:]*@)?(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[1-9]\d{0,4})?$/;
const ssh = z
  .string({ error: sshError })
  .regex(sshPattern, { error: sshError })
  .refine((target) => Number(/:(\d+)$/.exec(target)?.[1] ?? 1) <= highestPort, {
    error: `${sshError}, with a port up to ${highestPort}`,
  });

const addressError = 'a host name or an address, without a port';
const address = z
  .string({ error: addressError })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$|^[0-9A-Fa-f:.]+$/, { error: addressError });

const folderError = 'an absolute path on the host, or one that begins with ~/';
const folder = text(folderError).regex(/^~?\/.+$/, { error: folderError });

const absoluteError = 'an absolute path';
const absolute = text(absoluteError).regex(/^\/./, { error: absoluteError });
/** This machine may be one of Windows. */
const absoluteHere = text(absoluteError).regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)./, { error: absoluteError });

export const hostSchema = z.strictObject(
  {
    ssh: ssh.optional().meta({
      description: 'Where to connect, if the name of the host is not one of ~/.ssh/config.',
      examples: ['me@10.0.0.5:2222'],
    }),
    transport: z
      .enum(['ssh2', 'system'], { error: 'ssh2 (built in) or system (the ssh program of this machine)' })
      .optional()
      .meta({
        description: 'What connects: ssh2 is built in, system is the ssh program; chosen unless given.',
        examples: ['system'],
      }),
    folder: folder.optional().meta({
      description: 'Where vbatch keeps its files on the host; ~/.vbatch unless given.',
      examples: ['/scratch/me/vbatch'],
    }),
    cpus: cpus.optional().meta({
      description: 'CPUs that tasks may use; what the host is found to have, unless given.',
      examples: [64],
    }),
    memory: size.optional().meta({
      description: 'Memory that tasks may use; what the host is found to have, unless given.',
      examples: ['256G'],
    }),
    gpus: gpus.optional().meta({
      description: 'GPUs that tasks may use, the first of gpu_order; all that are found, unless given.',
      examples: [2],
    }),
    gpu_order: gpuOrder.optional().meta({
      description:
        'Indexes of GPUs in the order in which to grant them, or reverse; from 0 on, unless given.',
      examples: [[1, 0], 'reverse'],
    }),
    slots_per_gpu: slots.optional().meta({
      description: 'Most tasks that may hold the same GPU at once; 1 unless given.',
      examples: [2],
    }),
    address: address.optional().meta({
      description: 'How other hosts reach it, for MASTER_ADDR of a gang; what ssh connects to, unless given.',
      examples: ['10.0.0.5'],
    }),
    workspace: z
      .literal('shared', { error: 'shared, where the host has the same files as this machine' })
      .optional()
      .meta({
        description:
          'With shared, the host has the same files as this machine, and none are sent; they travel unless given.',
        examples: ['shared'],
      }),
    paths: z
      .record(absoluteHere, absolute, {
        error: 'a mapping from folders of this machine to folders of the host',
      })
      .optional()
      .meta({
        description: 'With workspace: shared, where the host has folders of this machine, if elsewhere.',
        examples: [{ '/home/ada': '/nfs/home/ada' }],
      }),
    setup: setup.optional(),
    env: env.optional(),
  },
  { error: 'a mapping, such as { ssh: me@10.0.0.5 }, or {} where there is nothing to say' },
);

export const poolSchema = z.strictObject(
  {
    hosts: z
      .array(name('host'), { error: 'a list of hosts, such as [local]' })
      .min(1, 'a list of at least one host, such as [local]')
      .optional()
      .meta({
        description: 'Hosts where its tasks may run; every host that is known here, unless given.',
        examples: [['big', 'local']],
      }),
    cpus: cpus
      .optional()
      .meta({ description: 'CPUs that each task holds; none unless given.', examples: [8] }),
    memory: size.optional().meta({
      description: 'Memory that each task holds; none unless given.',
      examples: ['32G'],
    }),
    gpus: gpus
      .optional()
      .meta({ description: 'GPUs that each task holds; none unless given.', examples: [1] }),
    slots: slots.optional().meta({
      description: 'Most tasks of this pool at once, on all hosts together; no limit unless given.',
      examples: [4],
    }),
    setup: setup.optional(),
    env: env.optional(),
  },
  { error: 'a mapping, such as { hosts: [local], cpus: 8 }' },
);

export const defaultsSchema = z.strictObject(
  {
    pool: name('pool')
      .optional()
      .meta({
        description: 'Pool of a task that names none; `shell` unless given.',
        examples: ['shell'],
      }),
    max_output: size.optional().meta({
      description:
        'Most that one end of a task brings back; the largest files beyond that stay on the host. 10G unless given.',
      examples: ['10G'],
    }),
    git: z
      .boolean({ error: 'true or false' })
      .optional()
      .meta({ description: 'Whether .git is part of the workspace; false unless given.', examples: [true] }),
    grace: grace.optional().meta({
      description: 'How long a task that is being ended may take before it is killed; 10s unless given.',
      examples: ['10s'],
    }),
  },
  { error: 'a mapping, such as { pool: shell, grace: 10s }' },
);

export const fileSchema = z
  .strictObject(
    {
      ssh_config: text('the path of a file')
        .min(1, 'the path of a file')
        .regex(/^[^~]|^~(?:\/|$)/, 'the path of a file; only ~/ stands for a home folder')
        .optional()
        .meta({
          description: 'The file in which ssh looks the hosts of this file up; ~/.ssh/config unless given.',
          examples: ['~/.ssh/other'],
        }),
      hosts: z
        .record(name('host'), hostSchema.nullable(), { error: 'a mapping from names of hosts to hosts' })
        .nullish()
        .meta({
          description:
            'Machines that can run tasks, by name: a name from ~/.ssh/config, or any name with `ssh`. `local` is this machine.',
          examples: [{ 'gpu-box': {}, big: { ssh: 'me@10.0.0.5:2222', cpus: 64, memory: '256G' } }],
        }),
      pools: z
        .record(name('pool'), poolSchema.nullable(), { error: 'a mapping from names of pools to pools' })
        .nullish()
        .meta({
          description: 'What `-P NAME` means: how much room each task holds, and on which hosts.',
          examples: [{ prep: { hosts: ['big', 'local'], cpus: 16, memory: '32G', slots: 4 } }],
        }),
      defaults: defaultsSchema.nullish().meta({
        description: 'What holds for tasks that do not say otherwise.',
        examples: [{ pool: 'shell', grace: '10s' }],
      }),
    },
    { error: 'a mapping with the keys ssh_config, hosts, pools and defaults' },
  )
  .meta({
    title: 'vbatch configuration',
    description: 'Hosts and pools of vbatch: config.yaml of a user, or .vbatch/config.yaml of a workspace.',
  });

export type FileContents = z.output<typeof fileSchema>;
export type HostEntry = z.output<typeof hostSchema>;
export type PoolEntry = z.output<typeof poolSchema>;
