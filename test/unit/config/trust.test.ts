import { describe, expect, it } from 'vitest';
import { distrust, thisProcess } from '../../../server/config/trust.ts';

const me = { uid: 1000, gid: 1000 };

describe('distrust', () => {
  it.each([
    { uid: 1000, gid: 1000, mode: 0o100644 },
    { uid: 1000, gid: 1000, mode: 0o100664 },
    { uid: 1000, gid: 27, mode: 0o100644 },
    { uid: 0, gid: 0, mode: 0o100444 },
    { uid: 0, gid: 1000, mode: 0o040775 },
  ])('finds nothing wrong with $uid:$gid $mode', (stats) => {
    expect(distrust(stats, me)).toBeNull();
  });

  it.each([
    [{ uid: 1001, gid: 1000, mode: 0o100600 }, 'belongs to user 1001'],
    [{ uid: 1001, gid: 1000, mode: 0o100666 }, 'belongs to user 1001'],
    [{ uid: 1000, gid: 1000, mode: 0o100602 }, 'can be changed by everybody'],
    [{ uid: 0, gid: 0, mode: 0o041777 }, 'can be changed by everybody'],
    [{ uid: 1000, gid: 27, mode: 0o100660 }, 'can be changed by group 27'],
    [{ uid: 0, gid: 0, mode: 0o100664 }, 'can be changed by group 0'],
  ])('finds of %j that it %s', (stats, reason) => {
    expect(distrust(stats, me)).toMatchObject({ reason });
  });

  it('trusts, as root, root alone', () => {
    const root = { uid: 0, gid: 0 };
    expect(distrust({ uid: 0, gid: 0, mode: 0o100664 }, root)).toBeNull();
    expect(distrust({ uid: 1000, gid: 1000, mode: 0o100644 }, root)).toMatchObject({
      reason: 'belongs to user 1000',
    });
  });
});

it.skipIf(process.platform === 'win32')('obeys as the user and the group of this process', () => {
  expect(thisProcess()).toEqual({ uid: process.getuid?.(), gid: process.getgid?.() });
});
