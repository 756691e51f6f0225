import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { tarEnd, tarFile, tarHeader } from '../../../server/travel/tar.ts';

it('is what tar reads, long names and links among it', () => {
  const long = `${'folder/'.repeat(40)}${'n'.repeat(200)}`;
  const archive = Buffer.concat([
    tarFile('a b', Buffer.from('contents')),
    tarFile(long, Buffer.alloc(513)),
    tarHeader({ kind: 'hardLink', name: 'again', target: 'a b' }),
    tarHeader({ kind: 'link', name: 'link', target: long }),
    tarHeader({ kind: 'folder', name: 'empty' }),
    tarEnd,
  ]);
  const listed = execFileSync('tar', ['-tvf', '-'], { input: archive, encoding: 'utf8' });
  expect(listed.split('\n').map((line) => line.replace(/^(.)\S* +\S+ +(\d+) \S+ \S+ /, '$1 $2 '))).toEqual([
    '- 8 a b',
    `- 513 ${long}`,
    'h 0 again link to a b',
    `l 0 link -> ${long}`,
    expect.stringMatching(/^d 0 empty\/?$/),
    '',
  ]);
});

it('has sizes beyond what octal digits can say', () => {
  const header = tarHeader({ kind: 'file', name: 'huge', size: 9 * 1024 ** 3 });
  const listed = execFileSync('sh', ['-c', 'tar -tvf - 2>/dev/null || :'], {
    input: header,
    encoding: 'utf8',
  });
  expect(listed).toContain(String(9 * 1024 ** 3));
});
