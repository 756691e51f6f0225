/** The shell scripts of a host's side, as they lie beside this file. A bundle needs them beside itself. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

function script(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

const shim = script('./shim.sh');

/** The first words with a machine over SSH; see ssh/contact.ts. */
export const contactScript = script('./contact.sh');

/** A look at everything that matters on a machine; see checkMachine.ts. */
export const checkScript = script('./check.sh');

/** Removes what is not needed any more; see prune.ts. */
export const pruneScript = script('./prune.sh');

/** Contents by path within the folder that `scriptsVersion` names. */
export const scripts: Readonly<Record<string, string>> = {
  'agent.sh': script('./agent.sh'),
  'attempt.sh': script('./attempt.sh'),
  'gpus.sh': script('./gpus.sh'),
  'login.sh': script('./login.sh'),
  'workspace.sh': script('./workspace.sh'),
  'bin/vbatch': shim,
  'bin/vrun': shim,
};

/** Names the contents: scripts of another version never share a folder with these. */
export const scriptsVersion = createHash('sha256').update(JSON.stringify(scripts)).digest('hex').slice(0, 12);
