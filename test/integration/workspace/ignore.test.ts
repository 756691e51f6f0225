import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLatin1 } from '../../../server/workspace/disk.ts';
import { decide, parsePatterns } from '../../../server/workspace/patterns.ts';
import { filesOf, git, plant, scanAnew, withWorkspace } from './support.ts';

/** Pieces that make both names that patterns match, and patterns that are odd. */
const common = fc.constantFrom('a', 'b', 'ab', '*', '**', '?', '/', '/**/', '[ab]', '[!a]');
const odd = fc.constantFrom(
  ...[
    'A',
    '[a-c]',
    '[^b-]',
    '[]a]',
    '[[:alpha:]]',
    '[[:x]',
    '[[:digit:][:space:]]',
    '[[:nothing:]]',
    '[a',
    '\\',
  ],
  ...[
    '\\*',
    '\\[',
    '\\a',
    ' ',
    '\\ ',
    '\t',
    '.',
    '-',
    '#',
    '!',
    '\r',
    '\0',
    '\xc3\xa9',
    '\xff',
    '***',
    '**\\/',
    'a/**\\/b',
    '[a/b]',
  ],
);
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '', '!', '/', '!/', '#', '\\!', '\xef\xbb\xbf'),
    fc.array(fc.oneof({ weight: 4, arbitrary: common }, { weight: 1, arbitrary: odd }), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.constantFrom('', '', '', '/', ' ', '/**'),
  )
  .map(([start, middle, end]) => start + middle.join('') + end);
const patterns = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'ab', 'aa', 'abab') },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.constantFrom('a', 'b', 'A', '1', '.', '-', ' ', '*', '[', ']', '\\', '#', '!', '\xc3\xa9', '\xff'),
        {
          minLength: 1,
          maxLength: 3,
        },
      )
      .map((parts) => parts.join(''))
      .filter((text) => text !== '.' && text !== '..'),
  },
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

describe('patterns', () => {
  it('match what git matches', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'vbatch-patterns-'));
    try {
      git(folder, 'init', '-q');
      fc.assert(
        fc.property(patterns, fc.uniqueArray(path, { minLength: 20, maxLength: 40 }), (text, paths) => {
          writeFileSync(join(folder, '.gitignore'), text, 'latin1');
          // It exits with 1 where nothing is ignored.
          const { stdout } = spawnSync(
            'git',
            ['-C', folder, 'check-ignore', '--no-index', '--stdin', '-z', '--verbose', '--non-matching'],
            { input: Buffer.from(`${paths.join('\0')}\0`, 'latin1'), encoding: 'latin1' },
          );
          const fields = stdout.split('\0');
          const parsed = parsePatterns(Buffer.from(text, 'latin1'), '');
          for (const [index, each] of paths.entries()) {
            const [line, found] = [fields[index * 4 + 1], fields[index * 4 + 2]];
            const git = line === '' ? null : found?.startsWith('!') ? 'in' : 'out';
            expect([each, outermost(parsed, each)]).toEqual([each, git]);
          }
        }),
        { numRuns: Number(process.env.RUNS ?? 300) },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** What is decided on the path, or on the first folder on the way to it that is left out. */
function outermost(parsed: ReturnType<typeof parsePatterns>, whole: string): 'in' | 'out' | null {
  const names = whole.split('/');
  for (let count = 1; count < names.length; count++) {
    if (decide(parsed, names.slice(0, count).join('/'), true) === 'out') return 'out';
  }
  return decide(parsed, whole, false);
}

/** Files with these contents, links to nowhere, and folders, of few names; ignore files among them. */
const tree = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom('a', 'b', 'ab', 'c', 'd e'), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('a', 'b', 'ab', 'x.log', '.gitignore', '.gitignore', '/'),
      patterns,
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 14 },
  )
  .map((entries) =>
    entries.map(([folders, last, text, isTracked]) => ({
      path: [...folders, last === '/' ? '' : last].join('/'),
      contents: last === '.gitignore' ? Buffer.from(text, 'latin1') : 'x',
      isTracked,
    })),
  );

/** Plants what does not collide with what is there already. */
function grow(folder: string, entries: { path: string; contents: string | Buffer }[]): string[] {
  return entries.flatMap(({ path, contents }) => {
    try {
      plant(folder, { [path]: contents });
      return [path];
    } catch {
      return [];
    }
  });
}

const listed = (folder: string) =>
  [...new Set(git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0'))]
    .filter((each) => each !== '')
    .map(fromLatin1)
    .sort();

describe('a scan', () => {
  it('finds the files that git finds, tracked or not', { timeout: 300_000 }, async () => {
    await withWorkspace(async ({ disk, base }) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(tree, patterns, patterns, async (entries, top, exclude) => {
          const folder = join(base, `tree-${number++}`);
          mkdirSync(folder);
          git(folder, 'init', '-q');
          grow(folder, [{ path: '.gitignore', contents: Buffer.from(top, 'latin1') }, ...entries]);
          const tracked = entries.filter(({ path, isTracked }) => isTracked && !path.endsWith('/'));
          for (const { path } of tracked) {
            try {
              git(folder, 'add', '-f', '--', path);
            } catch {
              // It was not planted.
            }
          }
          writeFileSync(join(folder, '.git/info/exclude'), exclude, 'latin1');
          expect(filesOf(await scanAnew(disk, folder))).toEqual(listed(folder));
        }),
        { numRuns: Number(process.env.RUNS ?? 40) },
      );
    });
  });

  it('finds the same in a folder of a repository, unless that is left out', {
    timeout: 300_000,
  }, async () => {
    await withWorkspace(async ({ disk, base }) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(tree, patterns, patterns, async (entries, top, inner) => {
          const folder = join(base, `tree-${number++}`);
          plant(folder, { 'sub/dir/': '', '.gitignore': Buffer.from(top, 'latin1') });
          plant(folder, { 'sub/.gitignore': Buffer.from(inner, 'latin1') });
          git(folder, 'init', '-q');
          const work = join(folder, 'sub/dir');
          grow(work, entries);
          const ignored = spawnSync('git', ['-C', folder, 'check-ignore', '-q', 'sub/dir']).status === 0;
          if (!ignored) expect(filesOf(await scanAnew(disk, work))).toEqual(listed(work));
        }),
        { numRuns: Number(process.env.RUNS ?? 40) },
      );
    });
  });

  it('takes .vbatchignore alone as git takes .gitignore', { timeout: 300_000 }, async () => {
    await withWorkspace(async ({ disk, base }) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(tree, patterns, async (entries, top) => {
          const [ours, theirs] = [join(base, `ours-${number}`), join(base, `theirs-${number++}`)];
          const all = [{ path: '.gitignore', contents: Buffer.from(top, 'latin1') }, ...entries];
          mkdirSync(theirs);
          git(theirs, 'init', '-q');
          grow(theirs, all);
          grow(
            ours,
            all.map((each) => ({ ...each, path: each.path.replace('.gitignore', '.vbatchignore') })),
          );
          // The ignore files themselves have different names, so a pattern may match one and not the other.
          const others = (paths: string[]) => paths.filter((each) => !each.endsWith('ignore'));
          expect(others(filesOf(await scanAnew(disk, ours)))).toEqual(others(listed(theirs)));
        }),
        { numRuns: Number(process.env.RUNS ?? 40) },
      );
    });
  });

  const left = async (contents: Record<string, string>, prepare: (folder: string) => void = () => {}) => {
    let files: string[] = [];
    await withWorkspace(async ({ disk, folder }) => {
      plant(folder, contents);
      prepare(folder);
      files = filesOf(await scanAnew(disk, folder)).filter((each) => !/\.(git|vbatch)ignore$/.test(each));
    });
    return files;
  };

  it('.vbatchignore comes before .gitignore, both ways', async () => {
    const files = { '.gitignore': '*.log\n', '.vbatchignore': '!keep.log\n*.tmp\n' };
    expect(
      await left({ ...files, 'keep.log': '', 'a.log': '', 'a.tmp': '', 'in/keep.log': '', a: '' }),
    ).toEqual(['a', 'in/keep.log', 'keep.log']);
  });

  it('a path in .vbatchignore brings something back out of a folder that git leaves out; a bare name does not', async () => {
    const all = {
      '.gitignore': 'data/\nnode_modules/\n',
      'data/a.csv': '',
      'data/b.csv': '',
      'data/in/a.csv': '',
    };
    const more = { 'node_modules/a.csv': '', 'node_modules/p/a.csv': '' };
    expect(await left({ ...all, ...more, '.vbatchignore': '!a.csv' })).toEqual([]);
    expect(await left({ ...all, ...more, '.vbatchignore': '!**/a.csv' })).toEqual([]);
    expect(await left({ ...all, ...more, '.vbatchignore': '!/data/a.csv' })).toEqual(['data/a.csv']);
    expect(await left({ ...all, ...more, '.vbatchignore': '!data/**/a.csv' })).toEqual([
      'data/a.csv',
      'data/in/a.csv',
    ]);
    expect(await left({ ...all, ...more, '.vbatchignore': '!data/*.csv' })).toEqual([
      'data/a.csv',
      'data/b.csv',
    ]);
    expect(await left({ ...all, ...more, '.vbatchignore': '!data/in' })).toEqual(['data/in/a.csv']);
    expect(await left({ ...all, ...more, '.vbatchignore': '!data/' })).toEqual([
      'data/a.csv',
      'data/b.csv',
      'data/in/a.csv',
    ]);
  });

  it('a .gitignore in a folder that git leaves out counts for what is brought back from there', async () => {
    const files = { '.gitignore': 'data/', 'data/.gitignore': '*.tmp', '.vbatchignore': '!/data/in/' };
    expect(await left({ ...files, 'data/in/a': '', 'data/in/a.tmp': '', 'data/b': '' })).toEqual([
      'data/in/a',
    ]);
  });

  it('what is brought back as a whole is still subject to what git says of the names in it', async () => {
    const files = {
      '.gitignore': 'data/\n*.pyc\n',
      '.vbatchignore': '!data/',
      'data/a': '',
      'data/a.pyc': '',
    };
    expect(await left(files)).toEqual(['data/a']);
  });

  it('takes a tracked file in a folder that is left out, but not what .vbatchignore leaves out', async () => {
    const files = {
      '.gitignore': 'build/\n',
      'build/tracked': '',
      'build/new': '',
      'build/in/tracked': '',
      a: '',
    };
    const track = (folder: string) => {
      git(folder, 'init', '-q');
      git(folder, 'add', '-f', 'build/tracked', 'build/in/tracked');
    };
    expect(await left(files, track)).toEqual(['a', 'build/in/tracked', 'build/tracked']);
    expect(await left({ ...files, '.vbatchignore': 'build/in' }, track)).toEqual(['a', 'build/tracked']);
  });

  it('a repository in it has rules of its own, and gives its files', async () => {
    const files = {
      '.gitignore': '*.log\n/inner/out\n',
      'inner/a.log': '',
      'inner/out': '',
      'inner/x': '',
      'inner/.gitignore': 'x',
    };
    expect(
      await left(files, (folder) => {
        git(folder, 'init', '-q');
        git(join(folder, 'inner'), 'init', '-q');
        writeFileSync(join(folder, 'inner/.git/info/exclude'), 'out\n');
      }),
    ).toEqual(['inner/a.log']);
  });

  it('.gitignore files count in a folder without git, and a link is no ignore file', async () => {
    expect(await left({ '.gitignore': 'a', a: '', b: '' })).toEqual(['b']);
    expect(await left({ rules: 'a', '.gitignore': '-> rules', a: '' })).toEqual(['a', 'rules']);
  });

  it('a chosen folder that its repository leaves out is taken, with its own rules', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(base, { '.gitignore': '*\n' });
      git(base, 'init', '-q');
      plant(folder, { '.gitignore': 'b\n', a: '', b: '', 'c/b': '', 'c/d': '' });
      expect(filesOf(await scanAnew(disk, folder))).toEqual(['.gitignore', 'a', 'c/d']);
    });
  });

  it('.git stays out, or is taken whole', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      plant(folder, { '.gitignore': 'config\n*.sample\n', a: '', 'in/.git/x': '' });
      git(folder, 'init', '-q');
      expect(filesOf(await scanAnew(disk, folder))).toEqual(['.gitignore', 'a']);
      const all = filesOf(await scanAnew(disk, folder, { git: true }));
      expect(all).toContain('.git/config');
      expect(all).toContain('.git/HEAD');
      expect(all).toContain('in/.git/x');
    });
  });
});
