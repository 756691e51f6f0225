import { describe, expect, it } from 'vitest';
import { scriptDefaults, scriptHeadBytes } from '../../../server/protocol/scriptDefaults.ts';

function words(text: string): string[] {
  return scriptDefaults(Buffer.from(text), 'x.sh');
}

describe('#VBATCH lines', () => {
  it('several add up, after the shebang, between comments and blank lines', () => {
    const script =
      '#!/bin/bash\n# what it does\n#VBATCH -P gpu-1\n\n  #VBATCH --name train -l a=1\necho hi\n';
    expect(words(script)).toEqual(['-P', 'gpu-1', '--name', 'train', '-l', 'a=1']);
  });

  it('end with the comments at the top', () => {
    expect(words('#!/bin/sh\necho hi\n#VBATCH -P gpu-1\n')).toEqual([]);
  });

  it('are no longer words, in whatever line ending', () => {
    expect(words('#VBATCHED -P a\n#vbatch -P a\n# VBATCH -P a\n')).toEqual([]);
    expect(words('#!/bin/sh\r\n#VBATCH -P a\r\n#VBATCH\r\n')).toEqual(['-P', 'a']);
  });

  it('are split like words of a shell', () => {
    const line = `#VBATCH -n 'my job' -e "A=b \\"c\\" \\n" -e B=x\\ y -e C=a'b'"c" -e D=''`;
    expect(words(line)).toEqual([
      '-n',
      'my job',
      '-e',
      'A=b "c" \\n',
      '-e',
      'B=x y',
      '-e',
      'C=abc',
      '-e',
      'D=',
    ]);
  });

  it.each([
    ['#!/bin/sh\n#VBATCH --poool x', 'x.sh, line 2: unknown flag --poool; did you mean --pool?'],
    ['#VBATCH -P a python', 'x.sh, line 1: a #VBATCH line holds flags only, but "python" is none'],
    ["#VBATCH -n 'my job", 'x.sh, line 1: a quote is not closed in this #VBATCH line'],
    ['#VBATCH -n a\\', 'x.sh, line 1: a quote is not closed in this #VBATCH line'],
    ['#VBATCH --wait', 'x.sh, line 1: --wait is about one call and cannot stand in a #VBATCH line'],
    ['#VBATCH -o json', 'x.sh, line 1: -o json is about one call and cannot stand in a #VBATCH line'],
    ['\n\n#VBATCH -P', 'x.sh, line 3: -P, --pool needs a value; see `vbatch --help`'],
  ])('%j is refused with file and line', (script, message) => {
    expect(() => words(script)).toThrow(expect.objectContaining({ code: 'usage', message }));
  });

  it('may say which results come back', () => {
    expect(words("#VBATCH --output '*.csv' -o results/\n")).toEqual(['--output', '*.csv', '-o', 'results/']);
  });

  it('programs that are no scripts have none', () => {
    expect(words('')).toEqual([]);
    expect(scriptDefaults(Buffer.from('\x7fELF\n#VBATCH -P a\n', 'latin1'), 'a.out')).toEqual([]);
  });

  it('a line that the head of the file cuts is not read', () => {
    const head = Buffer.alloc(scriptHeadBytes, '#');
    head.write('\n#VBATCH -P a\n', 10);
    head.write('\n#VBATCH -P b', scriptHeadBytes - 13);
    expect(scriptDefaults(head, 'x.sh')).toEqual(['-P', 'a']);
  });
});
