/** Whether it pays to compress what is sent. */
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** What is not made smaller than this is sent as it is. */
const pays = 0.8;
/** Of fewer bytes nobody notices. */
const fewest = 4_096;

/** @param sample what it begins with */
export async function paysToZip(sample: Uint8Array): Promise<boolean> {
  if (sample.length < fewest) return false;
  return (await deflate(sample, { level: 1 })).length < pays * sample.length;
}
