/** How much is sent and fetched at a time. */

/** A larger content goes by itself, and goes on from where it was cut off. Bytes. */
export const large = 4 * 1024 * 1024;
/** What a stream of small contents holds at most: what is lost of it with a connection goes again. Bytes. */
export const mostPerStream = 64 * 1024 * 1024;
/** Contents that are read and stored together. */
export const batchLimits = { count: 128, bytes: 4 * 1024 * 1024 };
