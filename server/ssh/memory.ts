/** What is remembered while the process lives, so that nobody is asked twice. Never on disk, never logged. */
import type { OpenedKeys } from './keys.ts';

export interface SshMemory {
  readonly keys: OpenedKeys;
  /** Passwords, and passphrases told to the system's ssh, by what they are for. */
  readonly answers: Map<string, string>;
  /** Host keys that were accepted once: the host's name and the fingerprint. */
  readonly hostKeys: Set<string>;
}

export function createMemory(): SshMemory {
  return { keys: new Map(), answers: new Map(), hostKeys: new Set() };
}
