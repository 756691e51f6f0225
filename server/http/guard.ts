/**
 * Who may talk to the server. It listens on this machine only, but so may any web page that the
 * user opens: a foreign `Origin` is refused, and so is a foreign `Host`, with which DNS rebinding
 * gives itself away. Whoever is left must know the token.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { VbatchError } from '../protocol/errors.ts';
import type { PageKeys } from './pageKeys.ts';
import type { Route } from './route.ts';

/** A browser cannot set headers on a WebSocket: there the token may be a subprotocol after this prefix. */
export const tokenProtocolPrefix = 'vbatch.token.';
/** The subprotocol that a browser offers beside the token, for the server to choose. */
export const socketProtocol = 'vbatch';

export interface Guard {
  /** What is wrong with the headers of a request, or null. `forbidden` or `unauthorized`. */
  check(
    headers: IncomingHttpHeaders,
    port: number,
    kind: 'request' | 'socket',
    access?: Route['access'],
  ): VbatchError | null;
}

/** `trustedOrigins`: beginnings of origins that may connect besides the server's own, such as `vscode-webview://`. */
export function createGuard(
  token: string,
  trustedOrigins: readonly string[],
  pageKeys: Pick<PageKeys, 'holds'>,
): Guard {
  const secret = Buffer.from(token);
  const isToken = (text: string) => {
    const given = Buffer.from(text);
    return given.length === secret.length && timingSafeEqual(given, secret);
  };
  return {
    check(headers, port, kind, access) {
      const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
      if (!hosts.includes(headers.host ?? '')) {
        return new VbatchError('forbidden', `The Host header must be ${hosts.join(' or ')}.`);
      }
      const origin = headers.origin;
      const isOwn = hosts.some((host) => origin === `http://${host}`);
      if (origin !== undefined && !isOwn && !trustedOrigins.some((start) => origin.startsWith(start))) {
        return new VbatchError('forbidden', 'Pages of this origin may not talk to the vbatch server.');
      }
      if (access === 'anybody') return null;
      const given = bearerToken(headers) ?? (kind === 'socket' ? protocolToken(headers) : null);
      if (given === null) {
        const advice = 'send the token of the discovery file as "Authorization: Bearer TOKEN"';
        return new VbatchError('unauthorized', `The request carries no token; ${advice}.`);
      }
      if (pageKeys.holds(given)) {
        if (access === 'page') return null;
        return new VbatchError('forbidden', 'The graph page may look and steer, but not do this.');
      }
      if (!isToken(given)) {
        const advice = 'the server may have restarted, read the discovery file again';
        return new VbatchError('unauthorized', `The token is not this server's; ${advice}.`);
      }
      return null;
    },
  };
}

function bearerToken(headers: IncomingHttpHeaders): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function protocolToken(headers: IncomingHttpHeaders): string | null {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const found = offered.find((name) => name.startsWith(tokenProtocolPrefix));
  return found === undefined ? null : found.slice(tokenProtocolPrefix.length);
}
