/** Ids of runs: a name and a short suffix that no other run of the state folder has (R7). */

/** Crockford's alphabet in lower case: no i, l, o, u. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const width = 25n;
const modulus = 1n << width;
/** Odd, hence invertible modulo a power of two: distinct numbers give distinct suffixes. */
const multiplier = 17_180_131n;

/**
 * Five characters that look random and are unique by construction: a bijection of the task number,
 * shifted by the state folder's `salt` (any non-negative integer) so that two folders differ. From
 * task 2^25 on the suffix grows by a character instead of repeating.
 */
export function runSuffix(number: number, salt: number): string {
  const round = BigInt(number) / modulus;
  let mixed = ((BigInt(number) + BigInt(salt)) * multiplier) % modulus;
  let suffix = '';
  for (let place = 0n; place < width; place += 5n) {
    suffix += alphabet[Number(mixed & 31n)];
    mixed >>= 5n;
  }
  return round === 0n ? suffix : `${suffix}${round.toString(32)}`;
}
