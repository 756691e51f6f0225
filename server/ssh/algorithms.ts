/** What ssh2 can do, and so which of the algorithms that `~/.ssh/config` allows are offered to a host. */
import type { SshSettings } from './settings.ts';

/** ssh2 1.17 (lib/protocol/constants.js). A test compares. */
export const supported = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group17-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group1-sha1',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
    'ssh-dss',
  ],
  // AES-GCM first: with the processor's help it is several times as fast as ssh2's ChaCha20 without native code.
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
    'aes256-cbc',
    'aes192-cbc',
    'aes128-cbc',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ],
} as const;

/** Used only where a configuration names them. */
const dated = /^(ssh-(rsa|dss)|.*-group.*-sha1|.*-cbc)$/;

export type Algorithms = { [kind in keyof typeof supported]: string[] };

/**
 * What to offer to a host, best first; a list is empty where ssh2 can do nothing that is allowed.
 * Key types that are known of the host come first, so that it shows a key that can be recognised.
 */
export function offered(settings: SshSettings, knownTypes: readonly string[]): Algorithms {
  const allowedBy = (names: readonly string[], own: readonly string[]): string[] =>
    own.filter((name) => (names.length === 0 ? !dated.test(name) : names.includes(name)));
  const inTheirOrder = (names: readonly string[], own: readonly string[]): string[] =>
    names.length === 0 ? allowedBy(names, own) : names.filter((name) => own.includes(name));
  const hostKeys = inTheirOrder(settings.hostKeyAlgorithms, supported.serverHostKey);
  const isKnown = (name: string): boolean => knownTypes.includes(name.replace(/^rsa-sha2-\d+$/, 'ssh-rsa'));
  return {
    kex: inTheirOrder(settings.kexAlgorithms, supported.kex),
    serverHostKey: [...hostKeys.filter(isKnown), ...hostKeys.filter((name) => !isKnown(name))],
    cipher: allowedBy(settings.ciphers, supported.cipher),
    hmac: allowedBy(settings.macs, supported.hmac),
  };
}
