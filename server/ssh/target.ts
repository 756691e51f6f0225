/** What a person writes to name a machine: a name of `~/.ssh/config`, `user@host:port` or `ssh://…`. */
import { VbatchError } from '../protocol/errors.ts';

export interface Target {
  /** A name for `~/.ssh/config` to resolve, or an address. IPv6 without brackets. */
  host: string;
  user: string | null;
  port: number | null;
}

const shape =
  /^(?:ssh:\/\/)?(?:(?<user>[^@]+(?:@[^@]+)*)@)?(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^@[\]]+?))(?::(?<port>\d+))?\/?$/;

/** Reads a target. Throws `invalid` where it is none. */
export function parseTarget(text: string): Target {
  // An IPv6 address by itself is full of colons, none of which begins a port.
  if (/^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*(%\w+)?$/i.test(text)) return { host: text, user: null, port: null };
  const { user = null, bracketed, plain, port } = shape.exec(text)?.groups ?? {};
  const host = bracketed ?? plain ?? '';
  const number = port === undefined ? null : Number(port);
  const sound =
    /^[^\s/'"`$\\<>;&|(){}-][^\s/'"`$\\<>;&|(){}]*$/.test(host) &&
    !user?.startsWith('-') &&
    (number === null || (number >= 1 && number <= 65_535));
  if (!sound) {
    throw new VbatchError(
      'invalid',
      `'${text}' names no host: write a name of your ~/.ssh/config, or USER@HOST:PORT.`,
    );
  }
  return { host, user, port: number };
}
