import { beforeEach, describe, expect, it } from 'vitest';
import { Questions } from '../../../server/hosts/questions.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { ManualTimers } from '../../support/manualTimers.ts';

const refused = new VbatchError('refused', 'box does not let us in');
const key = { host: 'box', type: 'ssh-ed25519', fingerprint: 'SHA256:abc' };

let timers: ManualTimers;
let questions: Questions;
let changes: number;

beforeEach(() => {
  timers = new ManualTimers();
  questions = new Questions('gpu-box', timers);
  changes = 0;
  questions.watch(() => {
    changes += 1;
  });
});

function answerOpen(answer: string | null): void {
  const { open } = questions;
  if (open === null) throw new Error('nothing is asked');
  expect(questions.answer(open.id, answer)).toBe(true);
}

describe('questions without anybody at hand', () => {
  it('have no answer, and say at the end what to do', async () => {
    questions.begin();
    expect(await questions.password({ host: 'box', user: 'me', attempt: 1 })).toBeNull();
    expect(questions.open).toBeNull();
    expect(questions.failed(refused).message).toBe(
      'box wants a password: run `vctl host connect gpu-box` in a terminal',
    );
    expect(questions.wanted).toMatchObject({ kind: 'password' });
    expect(changes).toBe(1);
  });

  it.each([
    ['unreachable', 'nobody answers'],
    ['configuration', 'ssh cannot read it'],
  ] as const)('say nothing where it has failed as %s', async (code, message) => {
    questions.begin();
    await questions.password({ host: 'box', user: 'me', attempt: 1 });
    expect(questions.failed(new VbatchError(code, message)).message).toBe(message);
    expect(questions.wanted).toBeNull();
  });

  it('are forgotten when the next attempt succeeds', async () => {
    await questions.hostKey(key);
    questions.failed(refused);
    questions.begin();
    expect(questions.wanted).toMatchObject({ kind: 'hostKey' });
    questions.succeeded();
    expect(questions.wanted).toBeNull();
  });

  it('name what is wanted', async () => {
    const ask: [() => Promise<unknown>, string][] = [
      [() => questions.hostKey(key), 'the host key of box is not known (SHA256:abc)'],
      [() => questions.passphrase({ host: 'box', file: "/k'1", attempt: 2 }), "/k'1 needs its passphrase"],
      [
        () =>
          questions.keyboardInteractive({
            host: 'box',
            name: '',
            instructions: 'Look at your phone.',
            prompts: [{ prompt: 'Code: ', echo: true }],
          }),
        'box asks for "Code"',
      ],
    ];
    for (const [asking, text] of ask) {
      questions.begin();
      await asking();
      expect(questions.failed(refused).message).toBe(
        `${text}: run \`vctl host connect gpu-box\` in a terminal`,
      );
    }
  });
});

describe('questions with somebody at hand', () => {
  it('wait for the answer, also when whoever was told of them is not waiting meanwhile', async () => {
    const leave = questions.attend();
    const asking = questions.passphrase({ host: 'box', file: '/k', attempt: 1 });
    leave();
    expect(questions.isAttended).toBe(true);
    answerOpen('secret');
    expect([await asking, questions.open, questions.isAttended]).toEqual(['secret', null, false]);
    expect(timers.pending).toBe(0);
  });

  it.each([
    ['yes', 'always'],
    ['YES', 'always'],
    [' SHA256:abc ', 'always'],
    ['no', 'refuse'],
    ['', 'refuse'],
    ['SHA256:abd', 'refuse'],
    [null, 'refuse'],
  ])('take %j for %s', async (answer, decision) => {
    questions.attend();
    const asking = questions.hostKey(key);
    answerOpen(answer);
    expect(await asking).toBe(decision);
  });

  it("ask a server's own questions one by one, the heading once", async () => {
    questions.attend();
    const prompts = [
      { prompt: 'Password: ', echo: false },
      { prompt: 'Code: ', echo: true },
    ];
    const asking = questions.keyboardInteractive({
      host: 'box',
      name: 'PAM',
      instructions: 'Two of them.',
      prompts,
    });
    expect(questions.open).toMatchObject({ text: 'PAM\nTwo of them.\nPassword: ', echo: false });
    answerOpen('one');
    await Promise.resolve();
    await Promise.resolve();
    expect(questions.open).toMatchObject({ text: 'Code: ', echo: true });
    answerOpen('two');
    expect(await asking).toEqual(['one', 'two']);
    expect(
      await questions.keyboardInteractive({ host: 'box', name: '', instructions: 'Hello.', prompts: [] }),
    ).toEqual([]);
  });

  it('are given up after five minutes, and then wanted', async () => {
    questions.attend();
    const asking = questions.password({ host: 'me@box', user: 'me', attempt: 1 });
    expect(questions.open?.text).toBe("me@box's password: ");
    timers.advance(5 * 60_000);
    expect(await asking).toBeNull();
    expect(questions.failed(refused).message).toContain('wants a password');
  });

  it('end with the attempt', async () => {
    questions.attend();
    const asking = questions.password({ host: 'box', user: 'me', attempt: 1 });
    const id = questions.open?.id ?? '';
    questions.failed(new VbatchError('unreachable', 'the host has closed the connection'));
    expect([await asking, questions.answer(id, 'late')]).toEqual([null, false]);
  });
});
