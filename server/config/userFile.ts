/** A person's configuration file, as it is changed on their behalf. */
import { chmodSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';
import { replaceFile } from '../replaceFile.ts';

/** What it says; empty where it does not exist. Throws `configuration`. */
export function readUserFile(file: string): string {
  if (file === devNull) {
    throw new VbatchError(
      'configuration',
      `VBATCH_CONFIG is ${devNull}, which holds nothing; unset it, or name a file`,
    );
  }
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new VbatchError('configuration', `cannot read ${file}: ${(error as Error).message}`);
  }
}

/**
 * Puts another text in its place, which is never seen half written. A file that is new is its owner's alone; one
 * that is there keeps its mode, and where it is a link, what it leads to is replaced. Throws `configuration`.
 */
export function writeUserFile(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const { path, mode } = present(file);
    const temporary = `${path}.${process.pid}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    chmodSync(temporary, mode);
    replaceFile(temporary, path);
  } catch (error) {
    throw new VbatchError('configuration', `cannot write ${file}: ${(error as Error).message}`);
  }
}

function present(file: string): { path: string; mode: number } {
  try {
    const path = realpathSync(file);
    return { path, mode: statSync(path).mode & 0o777 };
  } catch {
    return { path: file, mode: 0o600 };
  }
}
