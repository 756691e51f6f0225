/** What is known of hosts, in files for each: so a pool is known while its hosts are out of reach. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../replaceFile.ts';
import type { HostFacts } from './host.ts';

const schema = z.object({
  cpus: z.number(),
  memory: z.number(),
  gpus: z.array(z.object({ name: z.string(), memory: z.number() })),
  address: z.string().default(''),
});

/** Keeps them within a state folder. What cannot be kept is found out again when the host is seen. */
export function hostFacts(home: string, log: (message: string) => void) {
  const folderOf = (name: string) => join(home, 'hosts', name);
  /** There while nobody is to connect to the host. */
  const letGoMark = (name: string) => join(folderOf(name), 'disconnected');
  return {
    load(name: string): HostFacts | null {
      try {
        return schema.parse(JSON.parse(readFileSync(join(folderOf(name), 'facts.json'), 'utf8')));
      } catch {
        return null;
      }
    },
    save(name: string, facts: HostFacts): void {
      try {
        mkdirSync(folderOf(name), { recursive: true, mode: 0o700 });
        const file = join(folderOf(name), 'facts.json');
        writeFileSync(`${file}.new`, JSON.stringify(facts), { mode: 0o600 });
        replaceFile(`${file}.new`, file);
      } catch (error) {
        log(`What ${name} has is not kept: ${(error as Error).message}`);
      }
    },
    isLetGo(name: string): boolean {
      return existsSync(letGoMark(name));
    },
    keepLetGo(name: string, isLetGo: boolean): void {
      try {
        mkdirSync(folderOf(name), { recursive: true, mode: 0o700 });
        if (isLetGo) writeFileSync(letGoMark(name), '', { mode: 0o600 });
        else rmSync(letGoMark(name), { force: true });
      } catch (error) {
        log(`Whether ${name} is let go of is not kept: ${(error as Error).message}`);
      }
    },
  };
}
