/** The schemas whose types the page uses need this of Node. Nothing of the page itself may. */
declare const Buffer: { byteLength(text: string): number };
