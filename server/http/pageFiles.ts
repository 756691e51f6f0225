/**
 * The files of the graph page. They hold nothing that is anybody's, so they are given to whoever asks by the
 * right name; what the page shows it has to ask for with its key.
 */
import { readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';

/** Path in a URL, file and type. */
const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/layoutWorker.js': ['layoutWorker.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/favicon.ico': ['icon.svg', 'image/svg+xml'],
};

/** Nothing from elsewhere, nothing written into the page itself, and no other page around it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  // The controls' library makes empty style elements and fills them by script; this is the hash of no text.
  "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const pagePaths = Object.keys(files);

/** A file of the page with its headers. Throws `notFound` where this installation has no page. */
export async function readPageFile(
  folder: string,
  path: string,
): Promise<{ headers: OutgoingHttpHeaders; bytes: Buffer }> {
  const [file, type] = files[path] ?? ['', ''];
  try {
    const bytes = await readFile(join(folder, file));
    const headers = {
      'Content-Type': type,
      'Content-Length': bytes.length,
      'Content-Security-Policy': policy,
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    };
    return { headers, bytes };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new VbatchError('notFound', `The graph page is missing: there is no ${join(folder, file)}.`);
  }
}
