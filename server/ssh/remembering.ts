import type { SshMemory } from './memory.ts';
import type { Prompter } from './prompter.ts';

export interface Remembering {
  prompter: Prompter;
  /** Keeps the answers of this attempt: they have let us in. */
  keep(): void;
}

/**
 * Answers with what has let us in before, so that a connection that was lost comes back without a person.
 * An answer that is not taken is asked for anew.
 */
export function remembering(asking: Prompter, memory: SshMemory): Remembering {
  const given = new Map<string, string>();
  const answer = async (
    what: string,
    attempt: number,
    ask: () => Promise<string | null>,
  ): Promise<string | null> => {
    const known = attempt === 1 ? memory.answers.get(what) : undefined;
    if (known !== undefined) return known;
    // What is known and not taken must not be tried at every connection: hosts lock such users out.
    memory.answers.delete(what);
    const said = await ask();
    if (said !== null) given.set(what, said);
    return said;
  };
  return {
    prompter: {
      ...asking,
      passphrase: (question) =>
        answer(`passphrase ${question.file}`, question.attempt, () => asking.passphrase(question)),
      password: (question) =>
        answer(`password ${question.user} ${question.host}`, question.attempt, () =>
          asking.password(question),
        ),
    },
    keep() {
      for (const [what, said] of given) memory.answers.set(what, said);
    },
  };
}
