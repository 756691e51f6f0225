/** What is written for shells, and what is read from them, against the shells themselves. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { becomeAgent, quote, startOrder } from '../../../server/hosts/agent/orders.ts';
import { parseExports } from '../../../server/hosts/environment.ts';
import { decodeBytes, encodeBytes } from '../../../server/protocol/bytes.ts';
import { presentShells } from './bed.ts';

const noNul = fc.uint8Array({ min: 1, maxLength: 60 }).map(decodeBytes);
const everyByte = decodeBytes(Uint8Array.from({ length: 255 }, (_, i) => i + 1));

describe.each(presentShells)('%s', (_, [program, ...args]) => {
  function run(options: string[], env: NodeJS.ProcessEnv, input: Buffer): Buffer {
    const { stdout, stderr } = spawnSync(program, [...args, ...options], { env, input, maxBuffer: 1 << 24 });
    expect(stderr.toString()).toBe('');
    return stdout;
  }

  it('reads quoted words back as they were', () => {
    const check = (words: string[]) => {
      const script = `printf '%s\\0' ${words.map(quote).join(' ')}\n`;
      const expected = words.length === 0 ? '\0' : words.map((word) => `${word}\0`).join('');
      expect(run(['-s'], {}, encodeBytes(script))).toEqual(encodeBytes(expected));
    };
    check([everyByte, '', "'", "''", '\\', "'\\''", '\n', '-n', 'x'.repeat(200_000)]);
    fc.assert(fc.property(fc.array(noNul, { maxLength: 5 }), check), { numRuns: 30 });
  });

  it.each(['C', 'C.UTF-8'])('prints exports that are parsed back as they were, in locale %s', (locale) => {
    const check = (values: string[]) => {
      const named = values.map((value, i) => [`V${i}`, value] as const);
      const assignments = named.map(([name, value]) => quote(`${name}=${value}`));
      const script = `${assignments.length === 0 ? '' : `export ${assignments.join(' ')}\n`}export NOTHING; export -p\n`;
      const printed = run(['-s'], { LC_ALL: locale }, encodeBytes(script));
      const parsed = parseExports(printed);
      for (const name of ['LC_ALL', 'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_']) parsed.delete(name);
      expect(parsed).toEqual(new Map(named));
    };
    check([
      everyByte,
      '',
      "'",
      '"',
      '\\',
      '\n',
      '$x`y`',
      '\x01',
      '\x7f',
      'é',
      '\u{1f600}',
      "\nexport V9='x'",
    ]);
    fc.assert(fc.property(fc.array(noNul, { maxLength: 5 }), check), { numRuns: 30 });
  });

  it('carries out no order that was cut short', () => {
    const order = startOrder({
      key: '1.1',
      stdin: 'empty',
      directory: '/',
      environment: '/e',
      program: 'rm',
      assignments: [],
      words: ['rm', '-rf', "/a'b", '/c'],
    });
    // A stand-in for the agent's function shows whether the order was carried out.
    const script = `_vb_start() { echo started; }\n${order}`;
    const whole = encodeBytes(script);
    const from = whole.length - order.length;
    for (let length = from; length < whole.length - 1; length++) {
      const { stdout } = spawnSync(program, [...args, '-s'], { input: whole.subarray(0, length) });
      expect(stdout.toString()).toBe('');
    }
    expect(run(['-s'], {}, whole).toString()).toBe('started\n');
  });

  it('becomes an agent in a folder of any name', () => {
    const order = becomeAgent({
      root: "/it's\n here",
      scripts: '/none',
      shell: 'sh',
      proc: '/proc',
      cookie: 'c',
      lease: 0,
    });
    const output = run(['-s'], {}, encodeBytes(order.replace(/; \. .*; }/, `; printf %s "$_vb_root"; }`)));
    expect(output.toString()).toBe("/it's\n here");
  });
});
