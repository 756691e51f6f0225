/** A task of tasks.json, `"type": "vbatch"`, as the words of a `vbatch` command line. Pure. */

export interface Definition {
  readonly type: 'vbatch';
  /** A string is for the shell; a list is a program and its arguments, passed on as they are. */
  readonly command: string | readonly string[];
  readonly pool?: string;
  readonly name?: string;
  readonly cwd?: string;
  readonly time?: string;
  readonly retries?: number;
  readonly shards?: string | number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** More flags, as on the command line. */
  readonly flags?: readonly string[];
}

export function wordsOf(definition: Definition): string[] {
  const { command, pool, name, time, retries, shards, labels = {}, env = {}, flags = [] } = definition;
  const option = (flag: string, value: string | number | undefined) =>
    value === undefined ? [] : [flag, String(value)];
  return [
    ...option('-P', pool),
    ...option('--name', name),
    ...option('--time', time),
    ...option('--retries', retries),
    ...option('-N', shards),
    ...Object.entries(labels).flatMap(([key, value]) => ['-l', `${key}=${value}`]),
    ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...flags,
    ...(typeof command === 'string' ? ['--shell', '--', command] : ['--', ...command]),
  ];
}
