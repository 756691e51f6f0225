/**
 * Carries out what eventStreamState.ts decides, over whatever kind of socket it is given: that of Node in
 * events.ts, that of a browser in the graph page. Knows nothing of either.
 */
import type { VbatchError } from '../protocol/errors.ts';
import type { StreamMessage } from '../protocol/tasks.ts';
import {
  nextStep,
  type StreamEffect,
  type StreamEvent,
  type StreamInput,
  type StreamState,
} from './eventStreamState.ts';

/** What a connection tells of itself. After `lost` or `refused` nothing more counts. */
export interface ConnectionEvents {
  opened(): void;
  message(message: StreamMessage): void;
  lost(reason: string): void;
  /** The next try would end the same way. */
  refused(error: VbatchError): void;
}

export interface StreamRunOptions {
  /** Connects, to resume after this sequence. Returns how to end that at any time. */
  readonly connect: (after: number, events: ConnectionEvents) => () => void;
  readonly listener: (event: StreamEvent) => void;
  /** Runs `action` once in so many milliseconds. Returns the way to call it off. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
}

export class StreamRun {
  private state: StreamState = { phase: 'idle' };
  private disconnect: () => void = () => {};
  private endPause: () => void = () => {};

  constructor(private readonly options: StreamRunOptions) {}

  /** Connects. The listener hears of everything from now on. */
  start(): void {
    this.take({ type: 'start' });
  }

  /** Ends for good. The listener hears nothing more. */
  stop(): void {
    this.take({ type: 'stop' });
  }

  private take(input: StreamInput): void {
    const { state, effects } = nextStep(this.state, input);
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: StreamEffect): void {
    switch (effect.type) {
      case 'connect':
        this.connect(effect.after);
        return;
      case 'disconnect':
        this.disconnect();
        return;
      case 'pause':
        this.endPause = this.options.after(effect.milliseconds, () => this.take({ type: 'resumed' }));
        return;
      case 'endPause':
        this.endPause();
        return;
      case 'tell':
        this.options.listener(effect.event);
        return;
    }
  }

  private connect(after: number): void {
    let isOver = false;
    const take = (input: StreamInput) => {
      if (isOver) return;
      isOver = input.type === 'lost' || input.type === 'refused';
      this.take(input);
    };
    const end = this.options.connect(after, {
      opened: () => take({ type: 'opened' }),
      message: (message) => take({ type: 'message', message }),
      lost: (reason) => take({ type: 'lost', reason, chance: Math.random() }),
      refused: (error) => take({ type: 'refused', error }),
    });
    this.disconnect = () => {
      isOver = true;
      end();
    };
  }
}
