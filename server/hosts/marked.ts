/** Finding what a script prints among what a person's start-up files print. */
import type { Readable } from 'node:stream';

/** More than any environment; start-up files that print without end are given up on. */
const maxOutput = 16 * 1024 * 1024;

/**
 * The bytes between a line that begins with `start` and one that begins with `end`, or a clause that says
 * why there are none. It does not wait for the stream's end: what start-up files leave running may
 * hold that open. `patience` is in milliseconds.
 */
export function readMarked(
  output: Readable,
  { start, end }: { start: string; end: string },
  patience: number,
): Promise<Buffer | string> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const finish = (result: Buffer | string) => {
      clearTimeout(timer);
      output.off('data', look).off('close', close).off('error', close);
      output.resume();
      resolve(result);
    };
    const timer = setTimeout(() => finish(`did not answer within ${patience / 1000} s`), patience);
    const look = (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      const from = bytes.indexOf(`\n${start}`);
      const to = from < 0 ? -1 : bytes.indexOf(`\n${end}`, from + start.length);
      if (to >= 0) finish(bytes.subarray(from + 1 + start.length, to));
      else if (bytes.length > maxOutput) finish(`printed more than ${maxOutput} bytes`);
    };
    const close = () => finish('ended before it had answered');
    output.on('data', look).on('close', close).on('error', close);
  });
}
