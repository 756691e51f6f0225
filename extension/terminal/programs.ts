/** How the bundled programs are started on the Node of this VS Code. */
import { join } from 'node:path';

export interface ProgramCommand {
  readonly program: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** `process.execPath` is Node on a server, and on a desktop the editor, which this variable makes one. */
export function programCommand(
  extensionPath: string,
  name: 'vbatch' | 'vrun' | 'vctl',
  args: readonly string[],
): ProgramCommand {
  return {
    program: process.execPath,
    args: [join(extensionPath, 'dist', 'cli', `${name}.cjs`), ...args],
    env: { ELECTRON_RUN_AS_NODE: '1' },
  };
}
