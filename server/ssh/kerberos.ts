import { existsSync } from 'node:fs';

/** Whether the user has a Kerberos ticket, or may have one: without it GSSAPI need not be tried. */
export function hasTicket(env: NodeJS.ProcessEnv): boolean {
  return env.KRB5CCNAME !== undefined || existsSync(`/tmp/krb5cc_${process.getuid?.()}`);
}
