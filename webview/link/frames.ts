/** Takes apart the frames in which both streams of a log arrive (server/http/frames.ts writes them). */

import { t } from '@vscode/l10n';

export type Frame =
  | { readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly error: string };

const headLength = 5;

/** A reader of one answer. It may be cut anywhere. */
export function frameReader(): (bytes: Uint8Array) => Frame[] {
  const decoder = new TextDecoder();
  let head: number[] = [];
  let kind = 0;
  let left = 0;
  let failure = '';
  return (bytes) => {
    const frames: Frame[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (left === 0) {
        head.push(bytes[at] ?? 0);
        at += 1;
        if (head.length < headLength) continue;
        const view = new DataView(Uint8Array.from(head).buffer);
        kind = view.getUint8(0);
        left = view.getUint32(1);
        head = [];
        continue;
      }
      const data = bytes.subarray(at, at + left);
      at += data.length;
      left -= data.length;
      if (kind === 0) {
        failure += decoder.decode(data, { stream: true });
        if (left === 0) frames.push({ error: messageOf(failure) });
      } else frames.push({ stream: kind === 1 ? 'stdout' : 'stderr', bytes: data });
    }
    return frames;
  };
}

/** The sentence of an error answer. */
export function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return t('The server gave an answer that cannot be read.');
  }
}
