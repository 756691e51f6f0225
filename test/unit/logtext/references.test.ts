import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../../logtext/problems.ts';
import { referencesIn } from '../../../logtext/references.ts';

/** What real programs have printed, line by line. */
function printed(program: string): string[] {
  const file = join(import.meta.dirname, `../../fixtures/programs/${program}.txt`);
  return readFileSync(file, 'utf8').split('\n');
}

/** The places in it, as `PATH:LINE:COLUMN`. */
function places(lines: readonly string[]): string[] {
  return lines
    .flatMap(referencesIn)
    .map(({ path, line, column }) => `${path}:${line}${column ? `:${column}` : ''}`);
}

describe('places are found in the output of', () => {
  it.each([
    ['python', ['fail.py:10', 'fail.py:5', 'fail.py:15', 'fail.py:12']],
    ['pythonSyntax', ['syntax.py:1']],
    ['pytest', ['tests/test_sum.py:10', 'tests/test_sum.py:6', 'tests/test_sum.py:14']],
    ['gcc', ['main.c:1', 'part.h:1:15', 'main.c:5:10', 'main.c:5:21', 'main.c:4:7']],
    ['clang', ['main.cpp:7:12', './part.h:3:5']],
    ['node', ['fail.cjs:2', 'fail.cjs:2:9', 'fail.cjs:4:1']],
    ['nodeModule', ['fail.mjs:4:15', 'fail.mjs:12:1']],
    ['nodeAsync', ['fail.mjs:8:3', 'fail.mjs:11:34']],
    ['rustc', ['broken.rs:3:20', 'broken.rs:2:18']],
    ['rustPanic', ['panic.rs:3:21']],
    ['tsc', ['src/index.ts:12:7']],
  ])('%s', (program, wanted) => {
    const own = places(printed(program)).filter((place) => !place.startsWith('/usr/'));
    expect(own.map((place) => place.replace('/home/ada/work/', ''))).toEqual(wanted);
  });

  it('whoever else: with spaces where they are quoted, of Windows, and several in a line', () => {
    expect(referencesIn('  File "/a b/c.py", line 3, in f')).toEqual([
      { path: '/a b/c.py', line: 3, column: null, start: 2, end: 26 },
    ]);
    expect(places(['    at f (C:\\a b\\c.js:3:5)', 'see a.c:1 and b/c:2:3, (d.h:4)'])).toEqual([
      'C:\\a b\\c.js:3:5',
      'a.c:1',
      'b/c:2:3',
      'd.h:4',
    ]);
    expect(places(['at file:///a%20b/c.mjs:3:5'])).toEqual(['/a b/c.mjs:3:5']);
  });

  it('nobody: times, addresses, versions and ratios', () => {
    const lines = [
      '12:30:45 ok',
      'http://x.org:80/a',
      '10.0.0.1:8080',
      'epoch: 3',
      'a:1',
      'loss=0.5:1.2',
      'node:fs:3',
    ];
    expect(places(lines)).toEqual([]);
  });
});

it('places far to the right are not looked for', () => {
  expect(places([`${'x '.repeat(2_000)}a.c:1`, `${'x '.repeat(900)}a.c:1`])).toEqual(['a.c:1']);
});

describe('errors are found in the output of', () => {
  it.each([
    [
      'python',
      'json.decoder.JSONDecodeError: Expecting property name',
      'decoder.py:353 decoder.py:337 __init__.py:346 fail.py:5 fail.py:10',
    ],
    ['python', 'RuntimeError: cannot load the settings', 'fail.py:12 fail.py:15'],
    ['pythonSyntax', 'SyntaxError: invalid syntax', 'syntax.py:1'],
    ['pytest', 'assert 4 == 3', 'test_sum.py:6 test_sum.py:10'],
    ['pytest', "KeyError: 'lr'", 'test_sum.py:14'],
    ['pytestShort', 'assert 4 == 3', 'test_sum.py:6 test_sum.py:10'],
    ['pytestShort', "KeyError: 'lr'", 'test_sum.py:14'],
    ['gcc', 'unknown type name ‘in’', 'part.h:1'],
    ['clang', "no matching function for call to 'total'", 'main.cpp:7'],
    ['tsc', "Type 'string' is not assignable", 'index.ts:12'],
    ['node', 'TypeError: x is not', 'fail.cjs:2 fail.cjs:4 fail.cjs:2'],
    ['nodeModule', 'SyntaxError: Expected property name', 'fail.mjs:4 fail.mjs:12'],
    ['nodeAsync', 'Error: EISDIR', 'fail.mjs:8 fail.mjs:11'],
    ['nodeSyntax', "SyntaxError: Unexpected token ';'", 'syntax.cjs:1'],
    ['rustc', 'error[E0425]: cannot find value `y`', 'broken.rs:3'],
    ['rustc', 'error[E0308]: mismatched types', 'broken.rs:2'],
    ['rustPanic', 'index out of bounds', 'panic.rs:3'],
  ])('%s: %s', (program, message, wanted) => {
    const found = problemsIn(printed(program)).filter((problem) => problem.message.startsWith(message));
    expect(found).toHaveLength(1);
    const shown = found[0]?.places.map(({ path, line }) => `${path.split('/').at(-1)}:${line}`);
    expect(shown?.join(' ')).toBe(wanted);
  });

  it.each([
    ['pythonGroup', ['ExceptionGroup: several (2 sub-exceptions) eg.py:8', 'ValueError: one eg.py:2']],
    ['torchrun', ["KeyError: 'k' chain.py:3", 'RuntimeError: cannot: chain.py:5', 'ValueError: one eg.py:2']],
    [
      'pytestLine',
      [
        'AssertionError: values differ test_b.py:9',
        "Failed: DID NOT RAISE <class 'ValueError'> test_b.py:11",
      ],
    ],
    [
      'nodeTest',
      [
        'AssertionError [ERR_ASSERTION]: Expected values to be strictly equal: nt.test.mjs:2',
        'TypeError [Error]: x is not a function nt.test.mjs:3',
      ],
    ],
    [
      'cargoTest',
      [
        'assertion `left == right` failed lib.rs:5',
        'index out of bounds: the len is 0 but the index is 0 lib.rs:7',
      ],
    ],
    ['ld', ["undefined reference to `missing' link.c:2"]],
  ])('%s, with where they are', (program, wanted) => {
    const found = problemsIn(printed(program)).map(
      ({ message, places: [at] }) => `${message} ${at?.path.split('/').at(-1)}:${at?.line}`,
    );
    expect(found).toEqual(wanted);
  });

  it.each([
    ['python', 2],
    ['pythonSyntax', 1],
    ['pytest', 2],
    ['pytestShort', 2],
    ['gcc', 1],
    ['clang', 1],
    ['tsc', 1],
    ['node', 1],
    ['nodeModule', 1],
    ['nodeAsync', 1],
    ['nodeSyntax', 1],
    ['rustc', 2],
    ['rustPanic', 1],
  ])('%s: no others', (program, count) => {
    expect(problemsIn(printed(program)).map(({ message }) => message)).toHaveLength(count);
  });

  it('is told once, and not without end', () => {
    const line = (i: number) => `a.c:${i}:1: error: no`;
    expect(problemsIn([line(1), line(1)])).toHaveLength(1);
    expect(problemsIn(Array.from({ length: 5_000 }, (_, i) => line(i)))).toHaveLength(100);
  });
});
