/**
 * What this process was started with, byte for byte. Node replaces bytes that are not UTF-8 by
 * U+FFFD; Linux still has them in /proc. Elsewhere the replaced text has to do.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { decodeBytes } from '../server/protocol/bytes.ts';
import { VbatchError } from '../server/protocol/errors.ts';

const replaced = '\ufffd';

/** Where the exact bytes are found. A parameter, so that it can be tested. */
export interface ProcessFiles {
  /** NUL-terminated arguments, from the interpreter on. */
  commandLine: () => Buffer;
  /** NUL-terminated `NAME=VALUE` pairs. */
  environment: () => Buffer;
}

const own: ProcessFiles = {
  commandLine: () => readFileSync('/proc/self/cmdline'),
  environment: () => readFileSync('/proc/self/environ'),
};

/** The arguments after the script's name; a byte that is not UTF-8 is a lone surrogate (protocol/bytes). */
export function exactArguments(argv: readonly string[], files: ProcessFiles = own): string[] {
  const args = argv.slice(2);
  if (args.length === 0 || !args.some((text) => text.includes(replaced))) return args;
  return entries(files.commandLine)?.slice(-args.length) ?? args;
}

/** The environment, in the same form. */
export function exactEnvironment(env: NodeJS.ProcessEnv, files: ProcessFiles = own): Record<string, string> {
  const pairs = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const mangled = pairs.some(([name, value]) => name.includes(replaced) || value.includes(replaced));
  const exact = mangled ? entries(files.environment) : null;
  if (exact === null) return Object.fromEntries(pairs);
  const found = exact.map((text) => [text, text.indexOf('=')] as const).filter(([, at]) => at > 0);
  return Object.fromEntries(found.map(([text, at]) => [text.slice(0, at), text.slice(at + 1)]));
}

/** The working directory. Throws `usage` where it no longer exists. */
export function exactDirectory(): string {
  let directory: string;
  try {
    directory = process.cwd();
  } catch {
    throw new VbatchError('usage', 'the working directory no longer exists; cd to one that does');
  }
  if (!directory.includes(replaced)) return directory;
  try {
    return decodeBytes(readlinkSync('/proc/self/cwd', { encoding: 'buffer' }));
  } catch {
    return directory;
  }
}

function entries(read: () => Buffer): string[] | null {
  let bytes: Buffer;
  try {
    bytes = read();
  } catch {
    return null;
  }
  const found: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    found.push(decodeBytes(bytes.subarray(start, end)));
    start = end + 1;
  }
  return found;
}
