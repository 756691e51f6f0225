/** What a person types to say which host they mean. */

export interface Address {
  /** The name that the host gets here. */
  readonly name: string;
  /** Where to connect; null where the name alone says it to ssh. */
  readonly ssh: string | null;
}

/** A name of ~/.ssh/config, or `USER@HOST:PORT`, or such a line as is typed after `$`; null for none of these. */
export function parseAddress(typed: string): Address | null {
  const words = typed
    .trim()
    .replace(/^ssh\s+/, '')
    .split(/\s+/);
  const port =
    words[0] === '-p' ? words.splice(0, 2)[1] : words[1] === '-p' ? words.splice(1, 2)[1] : undefined;
  const [target = '', ...more] = words;
  if (target === '' || more.length > 0 || !/^[^\s-][^\s]*$/.test(target)) return null;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) return null;
  const ssh = port === undefined ? target : `${target}:${port}`;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(ssh)) return { name: ssh, ssh: null };
  const host = target.replace(/^.*@/, '').replace(/:\d+$/, '');
  const name = host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '');
  return name === '' ? null : { name, ssh };
}
