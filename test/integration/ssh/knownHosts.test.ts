/** known_hosts files as OpenSSH's own ssh-keygen reads and writes them. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addKnownHost, fingerprint, hostName, readKnownHosts } from '../../../server/ssh/knownHosts.ts';

describe('known_hosts', () => {
  let folder: string;
  let file: string;
  let keys: string[];
  const blob = (key: string): Buffer => Buffer.from(key.split(' ')[1] ?? '', 'base64');
  const keygen = (...args: string[]): string =>
    execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  /** Numbers of the lines that ssh-keygen finds for a name. */
  const found = (name: string): number[] => {
    try {
      return [...keygen('-F', name, '-f', file).matchAll(/found: line (\d+)/g)].map(([, line]) =>
        Number(line),
      );
    } catch {
      return [];
    }
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-known-'));
    file = join(folder, 'known_hosts');
    keys = ['a', 'b', 'c'].map((name) => {
      keygen('-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name));
      return readFileSync(join(folder, `${name}.pub`), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' ');
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const names: readonly [string, number][] = [
    ['gpu.a', 22],
    ['GPU.a', 2222],
    ['ab', 22],
    ['10.0.0.1', 22],
    ['10.0.0.12', 2222],
    ['::1', 22],
  ];
  const pattern = fc.constantFrom(
    ...names.map(([host, port]) => hostName(host, port)),
    ...['*', '*.a', 'gpu*', 'GPU.A', '10.0.0.?', '10.*', '[*]:2222', '??', '*:*', '[gpu.a]:*'],
  );
  const patterns = fc
    .array(fc.tuple(fc.boolean(), pattern), { minLength: 1, maxLength: 4 })
    .map((list) => list.map(([isNegated, one]) => `${isNegated ? '!' : ''}${one}`).join(','));
  const name = fc.constantFrom(...names.map(([host, port]) => hostName(host, port)));

  it('finds the lines that ssh-keygen finds, plain, with patterns and hashed', async () => {
    const lists = [fc.array(patterns, { maxLength: 4 }), fc.array(name, { maxLength: 2 })] as const;
    await fc.assert(
      fc.asyncProperty(...lists, async (plain, hashed) => {
        writeFileSync(file, `# a comment\n\n${hashed.map((one) => `${one} ${keys[1]}\n`).join('')}`);
        if (hashed.length > 0) keygen('-H', '-f', file);
        appendFileSync(file, plain.map((line) => `${line} ${keys[0]}\n`).join(''));
        const known = await readKnownHosts([file]);
        const lastHashed = 2 + hashed.length;
        for (const [host, port] of names) {
          const lines = found(hostName(host, port));
          // A key that is in no line is told from the first line that names the host.
          const answer = known.check(host, port, blob(keys[2] ?? ''));
          expect('line' in answer ? answer.line : undefined).toBe(lines[0]);
          const isKnown = (key: string | undefined): boolean =>
            known.check(host, port, blob(key ?? '')).status === 'known';
          expect(isKnown(keys[1])).toBe(lines.some((line) => line <= lastHashed));
          expect(isKnown(keys[0])).toBe(lines.some((line) => line > lastHashed));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('holds a key of another type for a change, as ssh does, and names a line of the same type first', async () => {
    keygen('-q', '-t', 'ecdsa', '-N', '', '-f', join(folder, 'ecdsa'));
    const ecdsa = readFileSync(join(folder, 'ecdsa.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(file, `ab ${ecdsa}\n`);
    const unlike = (await readKnownHosts([file])).check('ab', 22, blob(keys[0] ?? ''));
    expect(unlike).toEqual({ status: 'changed', file, line: 1 });
    writeFileSync(file, `ab ${ecdsa}\nab ${keys[1]}\n@revoked * ${keys[2]}\n@cert-authority x ${keys[0]}\n`);
    const known = await readKnownHosts([join(folder, 'none'), file]);
    expect(known.check('ab', 22, blob(keys[0] ?? ''))).toEqual({ status: 'changed', file, line: 2 });
    expect(known.check('ab', 22, blob(keys[2] ?? ''))).toEqual({ status: 'revoked', file, line: 3 });
    expect(known.check('x', 22, blob(keys[0] ?? ''))).toEqual({ status: 'unknown' });
    expect(known.types('ab', 22)).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519']);
    expect([known.hasAuthority('x', 22), known.hasAuthority('ab', 22)]).toEqual([true, false]);
  });

  it('adds keys that ssh-keygen finds, in clear and hashed', async () => {
    const fresh = join(folder, 'new', 'known_hosts');
    await addKnownHost(fresh, 'Example.org', 22, blob(keys[0] ?? ''), false);
    await addKnownHost(fresh, 'example.org', 2222, blob(keys[1] ?? ''), true);
    expect(statSync(fresh).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    const [plain, hashed] = readFileSync(fresh, 'utf8').split('\n');
    expect(plain).toBe(`example.org ${keys[0]}`);
    expect(hashed).toMatch(/^\|1\|[A-Za-z0-9+/=]{28}\|[A-Za-z0-9+/=]{28} ssh-ed25519 /);
    expect(keygen('-F', 'example.org', '-f', fresh)).toContain('found: line 1');
    expect(keygen('-F', '[example.org]:2222', '-f', fresh)).toContain('found: line 2');
  });

  it('shows fingerprints as ssh-keygen does', () => {
    const [, shown] = keygen('-lf', join(folder, 'a.pub')).split(' ');
    expect(fingerprint(blob(keys[0] ?? ''))).toBe(shown);
  });
});
