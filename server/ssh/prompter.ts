/** What only a person can answer. A terminal or an editor implements it. */

export interface Prompter {
  /** The passphrase of a key file, or null to leave the key out. `attempt` counts from 1. */
  passphrase(question: { host: string; file: string; attempt: number }): Promise<string | null>;
  /** The password of a user, or null to give up. */
  password(question: { host: string; user: string; attempt: number }): Promise<string | null>;
  /** An answer to each of a server's own questions, or null to give up. */
  keyboardInteractive(question: {
    host: string;
    name: string;
    instructions: string;
    prompts: readonly { prompt: string; echo: boolean }[];
  }): Promise<string[] | null>;
  /** Whether to trust a host that is met for the first time: for this process's life, for ever, or not. */
  hostKey(question: {
    host: string;
    type: string;
    fingerprint: string;
  }): Promise<'once' | 'always' | 'refuse'>;
}

/** For where nobody can be asked: every key must be known and open, or in an agent. */
export const nobody: Prompter = {
  passphrase: async () => null,
  password: async () => null,
  keyboardInteractive: async () => null,
  hostKey: async () => 'refuse',
};
