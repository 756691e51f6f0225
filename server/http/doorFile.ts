/**
 * What the next server of a state folder needs, so that pages which are open in browsers find it again: the port,
 * and what pages are known by. A file of mode 0600; without it pages have to be opened anew, and nothing else.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../replaceFile.ts';

const doorSchema = z.object({
  port: z.int().min(1).max(65_535),
  passes: z.array(z.object({ page: z.string(), secret: z.string(), until: z.number() })),
});
export type Door = z.output<typeof doorSchema>;

export interface DoorKeeper {
  /** What the last server has left, or null. */
  readonly last: Door | null;
  /** Keeps it for the next one. Throws where it cannot be written. */
  keep(door: Door): void;
}

export function doorOf(home: string): DoorKeeper {
  const file = join(home, 'pages.json');
  return { last: read(file), keep: (door) => write(file, door) };
}

function read(file: string): Door | null {
  try {
    return doorSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** The file is never seen half written nor with wider permissions. */
function write(file: string, door: Door): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, JSON.stringify(door), { mode: 0o600 });
  chmodSync(temporary, 0o600);
  replaceFile(temporary, file);
}
