/** Connects a host, and answers what it asks: at the terminal, or by what the command line says. */
import type { Client } from '../server/client/client.ts';
import { type ErrorCode, VbatchError } from '../server/protocol/errors.ts';
import type { Question } from '../server/protocol/hosts.ts';
import type { HostView } from '../server/protocol/tasks.ts';
import { askLine, canAsk } from './ask.ts';
import type { Context } from './commands/context.ts';
import { harmless } from './render/text.ts';

/** Resolves when the host is online. Throws why it is not, or what would have to be answered. */
export async function connectHost(
  context: Context,
  client: Client,
  name: string,
  { acceptNewKey }: { acceptNewKey: boolean },
): Promise<HostView> {
  let { host, question } = await client.connectHost(name, context.workspace);
  while (question !== null) {
    const { id } = question;
    const answer = acceptNewKey && question.kind === 'hostKey' ? accept(context, question) : null;
    const given = answer ?? (await ask(context, question));
    if (given === null) throw await givenUp(context, client, name, question);
    // Hosts do not wait for ever: where this one has hung up meanwhile, it is asked for its question again.
    const late = () => client.connectHost(name, context.workspace);
    ({ host, question } = await client
      .answerHost(name, { id, answer: given })
      .catch(otherwise('notFound', late)));
  }
  return host;
}

/** What to do after a failure of this kind; others go on. */
function otherwise<T>(code: ErrorCode, action: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof VbatchError && error.code === code) return action();
    throw error;
  };
}

function accept({ io }: Context, { host, fingerprint }: Question): string {
  io.stderr.write(`vctl: accepting the host key of ${harmless(host)}: ${fingerprint}\n`);
  return 'yes';
}

async function ask({ io }: Context, question: Question): Promise<string | null> {
  if (!canAsk(io)) return null;
  let answer = await askLine(io, question.text, question.echo);
  while (question.kind === 'hostKey' && answer !== null && !isDecision(answer, question)) {
    answer = await askLine(io, "Please type 'yes', 'no' or the fingerprint: ", true);
  }
  return question.kind === 'hostKey' && answer?.trim().toLowerCase() === 'no' ? null : answer;
}

function isDecision(answer: string, { fingerprint }: Question): boolean {
  const given = answer.trim();
  return /^(yes|no)$/i.test(given) || given === fingerprint;
}

/** Takes the question back, so that the connection does not wait; the error says what is missing. */
async function givenUp(
  { io }: Context,
  client: Client,
  name: string,
  { id, kind, host, text, fingerprint }: Question,
): Promise<VbatchError> {
  await client.answerHost(name, { id, answer: null }).catch(() => {});
  const terminal = `run \`vctl host connect ${name}\` in a terminal`;
  if (kind === 'hostKey') {
    const advice = canAsk(io)
      ? 'It was not accepted'
      : `Compare it with the host's own, and then add --accept-new-key, or ${terminal}`;
    return new VbatchError('refused', `the host key of ${host} is not known: ${fingerprint}. ${advice}`);
  }
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  const why = canAsk(io) ? 'was not answered' : `cannot be asked without a terminal: ${terminal}`;
  return new VbatchError('refused', `${name} is not connected; "${last}" ${why}`);
}
