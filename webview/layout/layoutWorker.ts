/** Lays pictures out beside the page, which goes on drawing meanwhile. */
import { type Memory, type OutlineBox, place } from './place.ts';

const memory: Memory = new Map();

addEventListener('message', ({ data }: MessageEvent<OutlineBox>) => {
  postMessage(place(data, memory));
});
