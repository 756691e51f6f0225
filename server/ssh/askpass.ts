/**
 * Lets the system's ssh ask its questions through us. It runs a small script for each (SSH_ASKPASS), which
 * passes the question on and waits for the answer; both go through FIFOs in a folder of the user's own.
 */
import { execFile } from 'node:child_process';
import { constants, open } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Prompter } from './prompter.ts';

/** Prints the answer and succeeds, or fails where there is none. The question ends in a zero byte. */
const script = `#!/bin/sh
folder=\${0%/*}
printf '%s\\n%s\\0' "$SSH_ASKPASS_PROMPT" "$1" > "$folder/question"
# There is no answer to a notice; ssh ends this when its time is over.
[ "$SSH_ASKPASS_PROMPT" = none ] && exec sleep 3600
IFS= read -r answer < "$folder/answer"
case $answer in
'+'*) printf '%s\\n' "\${answer#+}" ;;
*) exit 1 ;;
esac
`;

export interface Askpass {
  /** For ssh's environment. */
  env: NodeJS.ProcessEnv;
  close(): void;
}

export interface Asker {
  /** As in the questions of `Prompter`. */
  host: string;
  user: string;
  prompter: Prompter;
  /** Whether to trust a host: `question` is ssh's own, with the host's name and its key's fingerprint. */
  trusts(type: string, fingerprint: string, question: string): Promise<boolean>;
  log: (message: string) => void;
}

/** Answers the questions of an ssh that runs with the environment given back. `folder` is the user's alone. */
export async function serveAskpass(folder: string, asker: Asker): Promise<Askpass> {
  const program = join(folder, 'askpass');
  const [question, answer] = [join(folder, 'question'), join(folder, 'answer')];
  await promisify(execFile)('mkfifo', ['-m', '600', question, answer]);
  await writeFile(program, script, { mode: 0o700 });
  const questions = await openFifo(question, { readable: true, writable: false });
  const answers = await openFifo(answer, { readable: false, writable: true });
  const reply = createReply(asker);
  let heard = '';
  questions.setEncoding('utf8');
  questions.on('data', (text: string) => {
    const asked = (heard + text).split('\0');
    heard = asked.pop() ?? '';
    for (const one of asked) {
      const newline = one.indexOf('\n');
      void reply(one.slice(0, newline), one.slice(newline + 1)).then((said) => {
        if (said !== undefined) answers.write(said === null ? '-\n' : `+${said.replaceAll('\n', '')}\n`);
      });
    }
  });
  for (const socket of [questions, answers]) socket.on('error', (error) => asker.log(error.message));
  return {
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' },
    close() {
      questions.destroy();
      answers.destroy();
    },
  };
}

/** Open for both directions, a FIFO has no end, and neither side waits for the other to open it. */
async function openFifo(path: string, direction: { readable: boolean; writable: boolean }): Promise<Socket> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  return new Socket({ fd, ...direction });
}

/** What to say to a question of ssh: text, null to give up, undefined where nothing is to be said. */
function createReply({ host, user, prompter, trusts, log }: Asker) {
  const attempts = new Map<string, number>();
  const attemptAt = (what: string): number => {
    const attempt = (attempts.get(what) ?? 0) + 1;
    attempts.set(what, attempt);
    return attempt;
  };
  const answer = async (kind: string, text: string): Promise<string | null> => {
    const file = /^Enter passphrase for key '(.*)': *$/.exec(text)?.[1];
    if (file !== undefined) return prompter.passphrase({ host, file, attempt: attemptAt(file) });
    if (/'s password: *$/.test(text))
      return prompter.password({ host, user, attempt: attemptAt('password') });
    const shown = /(\S+) key fingerprint is (SHA256:\S+?)\.?\s/.exec(text);
    if (shown && text.includes('continue connecting')) {
      return (await trusts(shown[1] ?? '', shown[2] ?? '', text)) ? 'yes' : 'no';
    }
    const prompts = [{ prompt: text, echo: kind === 'confirm' }];
    const said = await prompter.keyboardInteractive({ host, name: '', instructions: '', prompts });
    return said?.[0] ?? null;
  };
  return async (kind: string, text: string): Promise<string | null | undefined> => {
    if (kind !== 'none') return answer(kind, text).catch(() => null);
    log(`ssh says of ${host}: ${text}`);
    return undefined;
  };
}
