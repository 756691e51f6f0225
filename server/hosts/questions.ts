/** Questions of connections under way, kept until somebody who attends to them has an answer. */
import { randomUUID } from 'node:crypto';
import { VbatchError } from '../protocol/errors.ts';
import type { Question } from '../protocol/hosts.ts';
import type { Prompter } from '../ssh/prompter.ts';
import { realTimers, type Timers } from '../timers.ts';

/** How long a person may take to answer. Milliseconds. */
const patience = 5 * 60_000;

type Answer = string | null;

interface Open {
  question: Question;
  answer: (answer: Answer) => void;
}

/**
 * The questions of one host. Without anybody who attends there is no answer, as with `nobody`: a host
 * must not wait for somebody who may be asleep.
 */
export class Questions implements Prompter {
  private attendants = 0;
  /** In the order in which they were asked. */
  private readonly waiting: Open[] = [];
  /** What this attempt has asked while nobody attended, or for too long. */
  private unanswered: Question | null = null;
  /** What the last attempt has failed for. */
  private declined: Question | null = null;
  private changed: () => void = () => {};

  /** @param host the name by which people know it. */
  constructor(
    private readonly host: string,
    private readonly timers: Timers = realTimers,
  ) {}

  /** Has `changed` called whenever another question is open or wanted, or none. */
  watch(changed: () => void): void {
    this.changed = changed;
  }

  /** The question that waits for an answer. */
  get open(): Question | null {
    return this.waiting[0]?.question ?? null;
  }

  /** The open question, or else the one for which nobody was there. */
  get wanted(): Question | null {
    return this.open ?? this.declined;
  }

  get isAttended(): boolean {
    return this.attendants > 0 || this.open !== null;
  }

  /** Somebody can answer from now on, until the returned function is called. */
  attend(): () => void {
    this.attendants += 1;
    return () => {
      this.attendants -= 1;
    };
  }

  /** Answers a question; false where it is not open, or not any more. */
  answer(id: string, answer: Answer): boolean {
    const found = this.waiting.find(({ question }) => question.id === id);
    found?.answer(answer);
    return found !== undefined;
  }

  /** Another attempt to connect begins. */
  begin(): void {
    this.unanswered = null;
  }

  /** The attempt has succeeded: nothing more is wanted. */
  succeeded(): void {
    this.want(null);
  }

  /**
   * The attempt has failed; what it has asked is of no use any more. Answers with the error, or with what
   * to do where it needed an answer that nobody was there to give.
   */
  failed(error: Error): Error {
    for (const { answer } of [...this.waiting]) answer(null);
    const wanted = error instanceof VbatchError && error.code === 'refused' ? this.unanswered : null;
    this.want(wanted);
    if (wanted === null) return error;
    const advice = `run \`vctl host connect ${this.host}\` in a terminal`;
    return new VbatchError('refused', `${needOf(wanted)}: ${advice}`);
  }

  async passphrase({
    host,
    file,
    attempt,
  }: {
    host: string;
    file: string;
    attempt: number;
  }): Promise<Answer> {
    const text = `${again(attempt)}Enter passphrase for key '${file}': `;
    return this.ask({ kind: 'passphrase', host, text, echo: false, fingerprint: null });
  }

  async password({ host, user, attempt }: { host: string; user: string; attempt: number }): Promise<Answer> {
    const name = host.includes('@') ? host : `${user}@${host}`;
    const text = `${again(attempt)}${name}'s password: `;
    return this.ask({ kind: 'password', host, text, echo: false, fingerprint: null });
  }

  async keyboardInteractive({
    host,
    name,
    instructions,
    prompts,
  }: Parameters<Prompter['keyboardInteractive']>[0]): Promise<string[] | null> {
    const answers: string[] = [];
    let heading = [name, instructions].filter((line) => line !== '').join('\n');
    for (const { prompt, echo } of prompts) {
      const text = heading === '' ? prompt : `${heading}\n${prompt}`;
      const answer = await this.ask({ kind: 'prompt', host, text, echo, fingerprint: null });
      if (answer === null) return null;
      answers.push(answer);
      heading = '';
    }
    return answers;
  }

  async hostKey({
    host,
    type,
    fingerprint,
  }: {
    host: string;
    type: string;
    fingerprint: string;
  }): Promise<'always' | 'refuse'> {
    const text =
      `The authenticity of host '${host}' can't be established.\n` +
      `${shortType(type)} key fingerprint is ${fingerprint}.\n` +
      'Are you sure you want to continue connecting (yes/no/[fingerprint])? ';
    const answer = await this.ask({ kind: 'hostKey', host, text, echo: true, fingerprint });
    const isTrusted = answer?.trim().toLowerCase() === 'yes' || answer?.trim() === fingerprint;
    return isTrusted ? 'always' : 'refuse';
  }

  private want(question: Question | null): void {
    if (question?.id === this.declined?.id) return;
    this.declined = question;
    this.changed();
  }

  private ask(asked: Omit<Question, 'id'>): Promise<Answer> {
    const question = { id: randomUUID(), ...asked };
    if (!this.isAttended) {
      this.unanswered = question;
      return Promise.resolve(null);
    }
    return new Promise((resolve) => {
      const close = (answer: Answer) => {
        cancel();
        this.waiting.splice(this.waiting.indexOf(open), 1);
        resolve(answer);
        this.changed();
      };
      const open: Open = { question, answer: close };
      const cancel = this.timers.after(patience, () => {
        this.unanswered = question;
        close(null);
      });
      this.waiting.push(open);
      this.changed();
    });
  }
}

/** As OpenSSH shows the type of a key: `ED25519` for `ssh-ed25519`, `ECDSA` for `ecdsa-sha2-nistp256`. */
function shortType(type: string): string {
  return type
    .replace(/^ssh-/, '')
    .replace(/-sha2-.*$/, '')
    .toUpperCase();
}

function again(attempt: number): string {
  return attempt > 1 ? 'That was not right; please try again.\n' : '';
}

/** What a question is about, as a clause. */
function needOf({ kind, host, text, fingerprint }: Question): string {
  const last = text.trimEnd().split('\n').at(-1)?.replace(/:$/, '') ?? '';
  switch (kind) {
    case 'hostKey':
      return `the host key of ${host} is not known (${fingerprint})`;
    case 'passphrase':
      return `${/'(.*)'/.exec(last)?.[1] ?? 'its key'} needs its passphrase`;
    case 'password':
      return `${host} wants a password`;
    case 'prompt':
      return `${host} asks for "${last}"`;
    default:
      return kind satisfies never;
  }
}
