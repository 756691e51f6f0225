/** Hosts in the user's configuration file, as commands add and remove them. */
import { isDeepStrictEqual } from 'node:util';
import { builtInConfiguration, withFile } from '../config/configuration.ts';
import { addHost, removeHost } from '../config/edit.ts';
import { parseConfiguration } from '../config/parse.ts';
import type { HostEntry } from '../config/schema.ts';
import { readSshNames, usualSshConfig } from '../config/sshNames.ts';
import { readUserFile, writeUserFile } from '../config/userFile.ts';
import { VbatchError } from '../protocol/errors.ts';
import { nearest } from '../protocol/nearest.ts';

/** How many names of the ssh configuration are shown where none is like the one that was given. */
const mostShown = 8;

export interface HostFileParts {
  /** The user's configuration file. */
  file: string;
  /** Whether a name leads anywhere: by ssh's configuration (a file, or null for the usual one) or by the network. */
  leadsToHost: (name: string, sshConfig: string | null) => Promise<boolean>;
}

export class HostFile {
  constructor(private readonly parts: HostFileParts) {}

  get path(): string {
    return this.parts.file;
  }

  /**
   * Writes a host into the file; false where it is there already, just so. Throws what `addHost` throws,
   * and `refused` for a name that leads nowhere.
   */
  async add(name: string, entry: HostEntry): Promise<boolean> {
    const { file } = this.parts;
    const text = readUserFile(file);
    const { hosts } = parseConfiguration(text, file, builtInConfiguration);
    const isThere = hosts != null && Object.hasOwn(hosts, name);
    if (isThere && isDeepStrictEqual(hosts[name] ?? {}, entry)) return false;
    // What is wrong with it is told before anything is looked up.
    addHost(text, file, name, entry);
    if (entry.ssh === undefined) await this.mustLeadSomewhere(name, text);
    // The file may have changed meanwhile.
    writeUserFile(file, addHost(readUserFile(file), file, name, entry));
    return true;
  }

  /** Takes a host out of the file. Throws what `removeHost` throws. */
  remove(name: string): void {
    const { file } = this.parts;
    writeUserFile(file, removeHost(readUserFile(file), file, name));
  }

  private async mustLeadSomewhere(name: string, text: string): Promise<void> {
    const { file, leadsToHost } = this.parts;
    const contents = parseConfiguration(text, file, builtInConfiguration);
    const { sshConfig } = withFile(builtInConfiguration, contents, file, null);
    const sshFile = sshConfig ?? usualSshConfig();
    const known = readSshNames(sshFile);
    if (known.has(name) || (await leadsToHost(name, sshConfig))) return;
    const near = nearest(name, known.names);
    const shown = known.names.slice(0, mostShown).join(', ');
    const hint = near !== null ? `did you mean ${near}?` : shown === '' ? 'it names none' : `it has ${shown}`;
    throw new VbatchError(
      'refused',
      `${name} is neither a host of ${sshFile} (${hint}) nor known to the network; ` +
        'say where it is with --ssh USER@HOST:PORT',
    );
  }
}
