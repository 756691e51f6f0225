/** Where a workspace keeps its configuration. Free of parsers: the command line starts through here. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The configuration file of a workspace. */
export function workspaceConfigFile(workspace: string): string {
  return join(workspace, '.vbatch', 'config.yaml');
}

/** The nearest folder, from `directory` upwards, that has a `.vbatch/config.yaml`; null where none has. */
export function findWorkspace(directory: string): string | null {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (existsSync(workspaceConfigFile(folder))) return folder;
    if (folder === dirname(folder)) return null;
  }
}
