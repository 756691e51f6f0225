// oxlint-disable-next-line import/extensions -- The file is not part of ssh2's types.
// @ts-expect-error -- ssh2 tells no types of its inner files.
import constants from 'ssh2/lib/protocol/constants.js';
import { describe, expect, it } from 'vitest';
import { offered, supported } from '../../../server/ssh/algorithms.ts';
import { parseSettings, settingsOf } from '../../../server/ssh/settings.ts';

const settings = (output: string) =>
  settingsOf({ host: 'box', user: null, port: null }, 'box', parseSettings(output), {});

describe('algorithms', () => {
  it('are among those that ssh2 has', () => {
    const { SUPPORTED_KEX, SUPPORTED_SERVER_HOST_KEY, SUPPORTED_CIPHER, SUPPORTED_MAC } = constants as Record<
      string,
      string[]
    >;
    expect(SUPPORTED_KEX).toEqual(expect.arrayContaining([...supported.kex]));
    expect(supported.kex).toEqual(expect.arrayContaining(SUPPORTED_KEX ?? []));
    expect(SUPPORTED_SERVER_HOST_KEY).toEqual(expect.arrayContaining([...supported.serverHostKey]));
    expect(SUPPORTED_CIPHER).toEqual(expect.arrayContaining([...supported.cipher]));
    expect(SUPPORTED_MAC).toEqual(expect.arrayContaining([...supported.hmac]));
  });

  it('are those that the configuration allows, in its order', () => {
    const allowed = settings(
      'kexalgorithms sntrup761x25519-sha512,ecdh-sha2-nistp256,curve25519-sha256\nmacs umac-64\n',
    );
    expect(offered(allowed, []).kex).toEqual(['ecdh-sha2-nistp256', 'curve25519-sha256']);
    expect(offered(allowed, []).hmac).toEqual([]);
  });

  it('are no old ones unless the configuration says so', () => {
    const all = Object.values(offered(settings(''), [])).flat();
    expect(all.filter((name) => /^ssh-(rsa|dss)$|group.*sha1|cbc/.test(name))).toEqual([]);
    expect(offered(settings('kexalgorithms diffie-hellman-group14-sha1'), []).kex).toEqual([
      'diffie-hellman-group14-sha1',
    ]);
  });

  it('begin with the types of the keys that are known', () => {
    const keys = (...known: string[]) => offered(settings(''), known).serverHostKey;
    expect(keys()[0]).toBe('ssh-ed25519');
    expect(keys('ssh-rsa').slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
    expect(keys('ecdsa-sha2-nistp384')[0]).toBe('ecdsa-sha2-nistp384');
    expect(keys('ssh-rsa').toSorted()).toEqual(keys().toSorted());
  });
});
