/** What `vctl run diff --patch` prints, given to git. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coloursFor } from '../../../cli/render/colours.ts';
import { patchLines, patchText } from '../../../cli/render/patch.ts';
import { decodeBytes, encodeBytes } from '../../../server/protocol/bytes.ts';
import type { DiffedFile, FileSide } from '../../../server/protocol/runs.ts';

interface Content {
  mode: FileSide['mode'];
  /** A character per byte. */
  text: string;
}
type Tree = Record<string, Content>;

const none = coloursFor({}, {});

function filesOf(before: Tree, after: Tree): DiffedFile[] {
  const side = (content: Content | undefined): FileSide | null => {
    if (!content) return null;
    const bytes = Buffer.from(content.text, 'latin1');
    return { mode: content.mode, size: bytes.length, data: bytes.toString('base64') };
  };
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths.flatMap((path): DiffedFile[] => {
    const [here, there] = [side(before[path]), side(after[path])];
    if (JSON.stringify(here) === JSON.stringify(there)) return [];
    const change = here === null ? 'new' : there === null ? 'removed' : 'changed';
    return [{ path, kind: 'file', change, size: there?.size ?? 0, here, there }];
  });
}

describe('a patch', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-patch-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const plant = (tree: Tree) => {
    rmSync(join(folder, 'work'), { recursive: true, force: true });
    mkdirSync(join(folder, 'work'));
    for (const [path, { mode, text }] of Object.entries(tree)) {
      const at = encodeBytes(join(folder, 'work', path));
      mkdirSync(encodeBytes(dirname(join(folder, 'work', path))), { recursive: true });
      if (mode === '120000') symlinkSync(Buffer.from(text, 'latin1'), at);
      else {
        writeFileSync(at, Buffer.from(text, 'latin1'));
        chmodSync(at, mode === '100755' ? 0o755 : 0o644);
      }
    }
  };
  const read = (): Tree => {
    const found = execFileSync('find', ['.', '-mindepth', '1', '-print0'], {
      cwd: join(folder, 'work'),
      encoding: 'latin1',
    });
    const names = found.split('\0').flatMap((name) => (name === '' ? [] : [name.slice('./'.length)]));
    return Object.fromEntries(
      names.flatMap((latin1) => {
        const name = Buffer.from(latin1, 'latin1');
        const at = Buffer.concat([Buffer.from(`${folder}/work/`), name]);
        const stat = lstatSync(at);
        if (stat.isDirectory()) return [];
        const content: Content = stat.isSymbolicLink()
          ? { mode: '120000', text: readlinkSync(at, { encoding: 'latin1' }) }
          : {
              mode: stat.mode & 0o100 ? '100755' : '100644',
              text: readFileSync(at, 'latin1'),
            };
        return [[decodeBytes(name), content]];
      }),
    );
  };
  const applied = (before: Tree, after: Tree): Tree => {
    plant(before);
    const patch = patchText(patchLines(filesOf(before, after)), none, false);
    if (patch.length > 0)
      execFileSync('git', ['apply', '--whitespace=nowarn', '-'], { cwd: join(folder, 'work'), input: patch });
    return read();
  };

  it('makes one folder of the other, whatever the names', () => {
    const before: Tree = {
      'a b.txt': { mode: '100644', text: 'one\ntwo\nthree\n' },
      'no end': { mode: '100644', text: 'x' },
      'run.sh': { mode: '100644', text: 'echo\n' },
      gone: { mode: '100755', text: 'g\n' },
      'was a link': { mode: '120000', text: 'there' },
      'caf\udce9': { mode: '100644', text: 'latin \xe9\r\n' },
      empty: { mode: '100644', text: '' },
    };
    const after: Tree = {
      'a b.txt': { mode: '100644', text: 'one\n2\nthree\n' },
      'no end': { mode: '100644', text: 'x\ny' },
      'run.sh': { mode: '100755', text: 'echo\n' },
      'was a link': { mode: '100644', text: 'a file' },
      'caf\udce9': { mode: '100644', text: 'latin \xe8\r\n' },
      'new\n"line"\t': { mode: '100644', text: '--- not a header\n' },
      'deep/er/ü': { mode: '120000', text: '../\xff' },
    };
    expect(applied(before, after)).toEqual(after);
  });

  it('makes one text of the other, whatever they are', () => {
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', 'c\r\n', '\n', '-\n', '+', '@@ x\n', '\xff\n', '\\ No\n', 'end'))
      .map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const tree = (content: string): Tree => ({ f: { mode: '100644', text: content } });
        expect(applied(tree(before), tree(after))).toEqual(tree(after));
      }),
      { numRuns: 40 },
    );
  });

  it('looks as git’s own does', () => {
    const before: Tree = { 'a b': { mode: '100644', text: '1\n2\n3\n4\n5\n6\n7\n8\n9\n' } };
    const after: Tree = {
      'a b': { mode: '100755', text: '1\n2\n3\n4\nfive\n6\n7\n8\n9\n' },
      ü: { mode: '100644', text: 'x' },
    };
    plant(before);
    const work = join(folder, 'work');
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...words], {
        cwd: work,
        encoding: 'latin1',
      });
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'x');
    const [[path, content]] = Object.entries(after) as [[string, Content]];
    writeFileSync(join(work, path), content.text);
    chmodSync(join(work, path), 0o755);
    writeFileSync(join(work, 'ü'), 'x');
    git('add', '.');
    const own = git('diff', '--cached', '--no-color', '--no-ext-diff').replace(/^index .*\n/gm, '');
    expect(patchText(patchLines(filesOf(before, after)), none, false).toString('latin1')).toBe(own);
  });

  it('names only what is no text', () => {
    const side: FileSide = { mode: '100644', size: 9, data: null };
    const files: DiffedFile[] = [
      { path: 'x.bin', kind: 'file', change: 'changed', size: 9, here: side, there: side },
      { path: 'y.bin', kind: 'file', change: 'new', size: 9, here: null, there: side },
    ];
    expect(patchLines(files)).toEqual([
      'diff --git a/x.bin b/x.bin',
      'Binary files a/x.bin and b/x.bin differ',
      'diff --git a/y.bin b/y.bin',
      'new file mode 100644',
      'Binary files /dev/null and b/y.bin differ',
    ]);
  });

  it('has colours on a terminal, and nothing that does anything to it', () => {
    const before: Tree = { f: { mode: '100644', text: 'a\n' } };
    const after: Tree = { f: { mode: '100644', text: '\x1b[2J\tb\n' } };
    const lines = patchLines(filesOf(before, after));
    const text = patchText(lines, coloursFor({}, { FORCE_COLOR: '1' }), true).toString();
    expect(text).toContain('\x1b[31m-a\x1b[39m\n');
    expect(text).toContain('\x1b[32m+␛[2J\tb\x1b[39m\n');
    expect(text).toContain('\x1b[36m@@ -1 +1 @@\x1b[39m\n');
  });
});
