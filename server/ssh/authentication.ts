/** Shows a server who we are: keys, then questions of its own, then a password, as ssh does. */
import ssh2, {
  type AnyAuthMethod,
  type AuthHandlerMiddleware,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import { VbatchError } from '../protocol/errors.ts';
import { findIdentities, type Identities, type Identity, ofKey } from './identities.ts';
import { hasTicket } from './kerberos.ts';
import { unlock } from './keys.ts';
import type { SshMemory } from './memory.ts';
import type { Prompter } from './prompter.ts';
import { address, type SshSettings } from './settings.ts';

/** Shows one key. ssh2 asks for a signature only when the server would take it, as for an agent's key. */
class OneKey extends ssh2.BaseAgent {
  constructor(private readonly identity: Identity) {
    super();
  }

  override getIdentities(callback: IdentityCallback): void {
    callback(null, [this.identity.publicKey]);
  }

  override sign(
    _key: ParsedKey | Buffer | string,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const hash = typeof options === 'function' ? undefined : options.hash;
    const done = typeof options === 'function' ? options : (callback ?? (() => {}));
    this.identity.sign(data, hash).then(
      (signature) => (signature ? done(null, signature) : done(new Error('the key stays locked'))),
      (error: Error) => done(error),
    );
  }
}

export class Authentication {
  /** What was tried, for messages. */
  private readonly tried: string[] = [];
  private offered: readonly string[] = [];
  private readonly attempts: AsyncIterator<Attempt>;
  private identities: Identities | null = null;
  /** Whoever was asked had no answer, and is not asked again. */
  private isGivenUp = false;

  /** `env` tells of a Kerberos ticket. */
  constructor(
    private readonly settings: SshSettings,
    private readonly prompter: Prompter,
    private readonly memory: SshMemory,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.attempts = this.sequence();
  }

  /** Gives ssh2 one attempt after another. */
  readonly handler: AuthHandlerMiddleware = (methods, _partial, next) => {
    // ssh2 gives null before the first answer of the server, whatever its types say.
    if ((methods as unknown) !== null) this.offered = methods;
    this.attempts.next().then(
      ({ value, done }) => next((done ? false : value) as AnyAuthMethod),
      // A prompter that fails gives no answer.
      () => next(false as never),
    );
  };

  /** What the server has let us in by. */
  get accepted(): string {
    return this.tried.at(-1) ?? 'nothing: it lets everybody in';
  }

  /** What the system's own ssh could try and this cannot, or null. */
  get elsewhere(): string | null {
    const foreign = this.identities?.foreign[0];
    if (foreign && this.takes('publickey')) return foreign;
    const maySayTicket = this.settings.gssapi && this.takes('gssapi-with-mic') && hasTicket(this.env);
    return maySayTicket ? 'the Kerberos ticket' : null;
  }

  /** What to tell when nothing has helped, or when the server has had enough of it (`reason`). */
  failure(reason?: string): VbatchError {
    const tried =
      this.tried.length > 0 ? `It did not take ${this.tried.join(', ')}` : 'There was nothing to show';
    const takes = this.offered.length > 0 ? ` (it takes ${this.offered.join(', ')})` : '';
    const remarks = (this.identities?.remarks ?? []).map((remark) => ` Of no use: ${remark}.`).join('');
    const { target } = this.settings;
    const advice = reason?.includes('Too many')
      ? `Name the right key for it with IdentityFile, and IdentitiesOnly yes, in ~/.ssh/config.`
      : `See whether "ssh ${target}" gets in; "ssh-copy-id ${target}" installs a key there.`;
    return new VbatchError(
      'refused',
      `${address(this.settings)} does not let us in${reason ? `: ${reason}` : ''}. ` +
        `${tried}${takes}.${remarks} ${advice}`,
    );
  }

  private takes(method: string): boolean {
    return this.offered.includes(method);
  }

  private async *sequence(): AsyncGenerator<Attempt> {
    const { settings } = this;
    const username = settings.user;
    // The server's answer to this says what it takes.
    yield { type: 'none', username };
    if (settings.publicKey && this.takes('publickey')) {
      for await (const identity of this.keys()) {
        if (!this.takes('publickey')) break;
        this.tried.push(identity.label);
        yield { type: 'agent', username, agent: new OneKey(identity) };
      }
    }
    // Nobody is asked for a password where something else may do.
    if (this.elsewhere !== null) return;
    yield* this.questions(username);
    yield* this.passwords(username);
  }

  private async *keys(): AsyncGenerator<Identity> {
    const { settings } = this;
    const question = { host: settings.target, attempts: settings.numberOfPasswordPrompts };
    const open: Parameters<typeof findIdentities>[1] = (file) =>
      unlock(file, question, this.prompter, this.memory.keys);
    this.identities = await findIdentities(settings, open);
    yield* this.identities.keys;
    for (const file of this.identities.hidden) {
      const key = await open(file);
      if (key) yield ofKey(file.file, key);
    }
  }

  private async *questions(username: string): AsyncGenerator<Attempt> {
    const { target: host, keyboardInteractive, numberOfPasswordPrompts } = this.settings;
    if (!keyboardInteractive) return;
    for (let round = 1; round <= numberOfPasswordPrompts; round++) {
      if (!this.takes('keyboard-interactive') || this.isGivenUp) return;
      yield {
        type: 'keyboard-interactive',
        username,
        prompt: (name, instructions, _language, prompts, finish) => {
          const questions = prompts.map(({ prompt, echo }) => ({ prompt, echo: echo ?? false }));
          this.prompter.keyboardInteractive({ host, name, instructions, prompts: questions }).then(
            (answers) => {
              if (answers) this.tried.push('answers to its questions');
              else this.isGivenUp = true;
              finish(answers ?? []);
            },
            () => {
              this.isGivenUp = true;
              finish([]);
            },
          );
        },
      };
    }
  }

  private async *passwords(username: string): AsyncGenerator<Attempt> {
    const { target: host, password: isAllowed, numberOfPasswordPrompts } = this.settings;
    if (!isAllowed) return;
    for (let attempt = 1; attempt <= numberOfPasswordPrompts; attempt++) {
      if (!this.takes('password')) return;
      const password = await this.prompter.password({ host, user: username, attempt });
      if (password === null) return;
      this.tried.push('a password');
      yield { type: 'password', username, password };
    }
  }
}

type Attempt = Exclude<AnyAuthMethod, { type: 'hostbased' | 'publickey' }>;
