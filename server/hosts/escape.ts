/** Bytes as one word of plain ASCII, for lines that a shell reads. */

/** The bytes as printf's %b takes them, in characters that no shell gives a meaning to. */
export function escapeForPrintf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_./:,+=@%-]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
