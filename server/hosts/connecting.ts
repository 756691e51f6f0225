/** Connecting a host while somebody waits for it and can be asked. */
import { VbatchError } from '../protocol/errors.ts';
import type { Question } from '../protocol/hosts.ts';
import type { Questions } from './questions.ts';

/** How a host stands, as far as whoever waits for it has to know. */
type Outcome = { online: true } | { question: Question } | { failure: Error };

export interface ConnectingParts {
  name: string;
  /** Null where a host never asks anything. */
  questions: Questions | null;
  isOnline: () => boolean;
  /** Begins another attempt, in place of one that is under way. */
  retry: () => void;
}

export class Connecting {
  private readonly waiting = new Set<(outcome: Outcome) => void>();

  constructor(private readonly parts: ConnectingParts) {}

  /** See `Host.connect`. */
  async connect(signal: AbortSignal): Promise<Question | null> {
    const { questions, isOnline, retry } = this.parts;
    if (isOnline()) return null;
    if (questions?.open) return questions.open;
    const isUnderWay = questions?.isAttended === true;
    return this.attended(signal, () => {
      // An attempt that began while nobody attended may have gone without the answers it needs.
      if (!isUnderWay) retry();
    });
  }

  /** See `Host.answerQuestion`. */
  async answer(id: string, answer: string | null, signal: AbortSignal): Promise<Question | null> {
    return this.attended(signal, () => {
      if (this.parts.questions?.answer(id, answer)) return;
      throw new VbatchError(
        'notFound',
        `${this.parts.name} does not ask that any more: it was answered, or the connection has ended ` +
          'meanwhile. Connect to it once more.',
      );
    });
  }

  /** It is online. */
  online(): void {
    this.tell({ online: true });
  }

  /** It asks something else, or nothing more. */
  asks(): void {
    const question = this.parts.questions?.open;
    if (question) this.tell({ question });
  }

  /** An attempt has failed. */
  failed(failure: Error): void {
    this.tell({ failure });
  }

  private tell(outcome: Outcome): void {
    for (const hear of [...this.waiting]) hear(outcome);
  }

  private async attended(signal: AbortSignal, begin: () => void): Promise<Question | null> {
    const leave = this.parts.questions?.attend();
    try {
      signal.throwIfAborted();
      begin();
      return await this.next(signal);
    } finally {
      leave?.();
    }
  }

  private next(signal: AbortSignal): Promise<Question | null> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.waiting.delete(hear);
        signal.removeEventListener('abort', abort);
      };
      const abort = () => {
        stop();
        reject(signal.reason as Error);
      };
      const hear = (outcome: Outcome) => {
        stop();
        if ('failure' in outcome) reject(this.errorOf(outcome.failure));
        else resolve('question' in outcome ? outcome.question : null);
      };
      this.waiting.add(hear);
      signal.addEventListener('abort', abort);
    });
  }

  private errorOf(failure: Error): VbatchError {
    if (failure instanceof VbatchError) return failure;
    return new VbatchError('unreachable', `${this.parts.name} cannot be reached: ${failure.message}`);
  }
}
