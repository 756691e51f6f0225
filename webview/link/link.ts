/** What the page asks of the server, whichever way it goes: straight from a browser, or through the editor. */
import type { Place } from '../../logtext/references.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';

export interface StreamQuery {
  /** Only this task and what lies below it. */
  readonly below?: string;
  /** Only runs. */
  readonly top?: true;
}

export interface LogQuery {
  readonly id: string;
  /** The latest where it is null. */
  readonly attempt: number | null;
  /** About how many bytes of what was written before to begin with. */
  readonly tail: number;
}

export interface LogListener {
  /** Comes first: how many bytes of each stream are left out at the beginning. */
  begin(before: { readonly stdout: number; readonly stderr: number }): void;
  data(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** It begins anew by itself, as soon as it can. */
  lost(reason: string): void;
  /** Nothing more comes; the error says why, or is null at the end of the task. */
  end(error: string | null): void;
}

export interface Link {
  readonly kind: 'browser' | 'editor';
  /** Rejects with the server's own sentence. */
  request<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer>;
  /** Listens until the returned function is called. */
  stream(query: StreamQuery, listener: (event: StreamEvent) => void): () => void;
  log(query: LogQuery, listener: LogListener): () => void;
  /** Shows a log in full, at the place for that. */
  showLog(id: string): void;
  /** Shows a place in a file that a task has named. Null where there is no editor to show it. */
  readonly showPlace: ((id: string, place: Place) => void) | null;
  /** What `save` was given last, also before the page was reloaded. */
  saved(): unknown;
  save(state: unknown): void;
}

export function taskPath(id: string): string {
  return `/v1/tasks/${encodeURIComponent(id)}`;
}
