/** Reads the configuration files, and reads them again when they have changed. */
import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { VbatchError } from '../protocol/errors.ts';
import { formatSize } from '../protocol/quantities.ts';
import { builtInConfiguration, type Configuration, withFile } from './configuration.ts';
import { parseConfiguration } from './parse.ts';
import { distrust, type Reader, thisProcess } from './trust.ts';
import { workspaceConfigFile } from './workspace.ts';

export interface ConfigurationFiles {
  /** The user's file. It need not exist. */
  userFile: string;
  /** Folder whose `.vbatch/config.yaml`, if it has one, lies on top; or null. */
  workspace: string | null;
}

/** A larger file is no configuration, and reading it would keep the server from its work. */
const largestFile = 256 * 1024;
/** Two changes within one tick of a file system's clock look like one. It is 2 s on FAT, less on all others. */
const longestTick = 2_000;

interface Loaded {
  stamps: readonly string[];
  configuration: Configuration;
}

const cache = new Map<string, Loaded>();

/**
 * The configuration of a workspace, or the user's alone. While the files stay as they are it costs
 * two `stat` calls. `now`: milliseconds since the epoch. Throws `configuration`, with a line for each
 * mistake in a file, and for a file that somebody else than `reader` can have written.
 */
export async function loadConfiguration(
  { userFile, workspace }: ConfigurationFiles,
  now: number = Date.now(),
  reader: Reader | null = thisProcess(),
): Promise<Configuration> {
  const layers = [{ file: userFile, folder: null as string | null }];
  if (workspace !== null) layers.push({ file: workspaceConfigFile(workspace), folder: workspace });

  const found = await Promise.all(layers.map(({ file }) => statIfThere(file)));
  const stamps = found.map(stampOf);
  const key = layers.map(({ file }) => file).join('\0');
  const cached = cache.get(key);
  if (cached?.stamps.every((stamp, i) => stamp === stamps[i])) return cached.configuration;

  let configuration = builtInConfiguration;
  for (const [i, { file, folder }] of layers.entries()) {
    const text = found[i] ? await readText(file, found[i], reader) : null;
    if (text === null) continue;
    if (folder !== null) await checkFolder(file, reader);
    configuration = withFile(configuration, parseConfiguration(text, file, configuration), file, folder);
  }
  if (found.every((stats) => stats === null || now - stats.ctimeMs > longestTick)) {
    cache.set(key, { stamps, configuration });
  }
  return configuration;
}

/** Differs when the file has changed, unless it changed twice within one tick. */
function stampOf(stats: Stats | null): string {
  return stats === null ? '' : [stats.mtimeMs, stats.ctimeMs, stats.size, stats.ino].join(' ');
}

/** Null for a file that does not exist, and for /dev/null, by which people say that there is none. */
async function statIfThere(file: string): Promise<Stats | null> {
  return file === devNull ? null : nullIfMissing(file, stat(file));
}

/** Null where the file has been removed meanwhile. */
async function readText(file: string, stats: Stats, reader: Reader | null): Promise<string | null> {
  const bytes = await nullIfMissing(file, readTrusted(file, stats, reader));
  if (bytes === null) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(file, 'it is not UTF-8 text');
  }
}

async function readTrusted(file: string, stats: Stats, reader: Reader | null): Promise<Buffer> {
  checkKind(file, stats);
  // Whatever stands there by now, opening it does not wait for somebody at its other end.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    // What is checked is what is read, even where the file is being replaced.
    const opened = await handle.stat();
    checkKind(file, opened);
    checkTrust(file, 'it', opened, reader);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** What is no regular file may block for ever or never end when it is read. */
function checkKind(file: string, stats: Stats): void {
  if (!stats.isFile()) throw unreadable(file, stats.isDirectory() ? 'it is a folder' : 'it is not a file');
  if (stats.size > largestFile) {
    throw unreadable(file, `it has ${formatSize(stats.size)}, and ${formatSize(largestFile)} is the limit`);
  }
}

/**
 * A folder of somebody else's may have been given a file that is the reader's own but was never meant to
 * be a configuration, by a link or a move.
 */
async function checkFolder(file: string, reader: Reader | null): Promise<void> {
  const stats = await statIfThere(dirname(file));
  if (stats !== null) checkTrust(file, 'its folder', stats, reader);
}

function checkTrust(file: string, what: 'it' | 'its folder', stats: Stats, reader: Reader | null): void {
  const found = reader === null ? null : distrust(stats, reader);
  if (found === null) return;
  throw new VbatchError(
    'configuration',
    `the configuration file ${file} is not obeyed, because commands in it run as you, and ` +
      `${what} ${found.reason}: ${found.remedy}, or remove it`,
  );
}

async function nullIfMissing<T>(file: string, result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof VbatchError) throw error;
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw unreadable(file, getSystemErrorMap().get(errno ?? 0)?.[1] ?? String(error));
  }
}

function unreadable(file: string, reason: string): VbatchError {
  return new VbatchError('configuration', `cannot read the configuration file ${file}: ${reason}`);
}
