/** What the page and the extension say to each other, where the page is a panel of the editor. */
import type { Place } from '../../logtext/references.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { LogQuery, StreamQuery } from './link.ts';

/** From the page. `call` numbers what is answered or ended later. */
export type PageMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'request';
      readonly call: number;
      readonly method: 'GET' | 'POST';
      readonly path: string;
    }
  | { readonly type: 'stream'; readonly call: number; readonly query: StreamQuery }
  | { readonly type: 'log'; readonly call: number; readonly query: LogQuery }
  | { readonly type: 'end'; readonly call: number }
  | { readonly type: 'showLog'; readonly id: string }
  | { readonly type: 'showPlace'; readonly id: string; readonly place: Place };

/** To the page. */
export type EditorMessage =
  | { readonly type: 'show'; readonly id: string }
  | { readonly type: 'answer'; readonly call: number; readonly answer: unknown }
  | { readonly type: 'failure'; readonly call: number; readonly message: string }
  | { readonly type: 'event'; readonly call: number; readonly event: StreamEvent }
  | {
      readonly type: 'logBegin';
      readonly call: number;
      readonly before: { readonly stdout: number; readonly stderr: number };
    }
  | {
      readonly type: 'logData';
      readonly call: number;
      readonly stream: 'stdout' | 'stderr';
      readonly bytes: Uint8Array;
    }
  /** The server was lost; the page may ask again. */
  | { readonly type: 'logLost'; readonly call: number; readonly reason: string }
  | { readonly type: 'logEnd'; readonly call: number; readonly error: string | null };
