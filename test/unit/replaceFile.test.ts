import { expect, it } from 'vitest';
import { replaceFile } from '../../server/replaceFile.ts';

function failing(codes: string[]) {
  const renamed: string[] = [];
  const rename = (from: string, to: string) => {
    const code = codes.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    renamed.push(`${from} ${to}`);
  };
  return { renamed, rename };
}

it('waits for whoever has one of the files open', () => {
  const { renamed, rename } = failing(['EPERM', 'EBUSY']);
  replaceFile('a', 'b', [0, 0], rename);
  expect(renamed).toEqual(['a b']);
});

it('gives up in the end, and at once where waiting does not help', () => {
  expect(() => replaceFile('a', 'b', [0], failing(['EBUSY', 'EACCES']).rename)).toThrow('EACCES');
  expect(() => replaceFile('a', 'b', [0], failing(['ENOENT']).rename)).toThrow('ENOENT');
  expect(() => replaceFile('a', 'b', [], failing(['EBUSY']).rename)).toThrow('EBUSY');
});
