import { expect, it } from 'vitest';
import { pathWithin, placeHere, placeThere } from '../../../../server/engine/trees/places.ts';

const places = [
  ['/home/me', '/nfs/me'],
  ['/home/me/work', '/scratch/work/'],
] as const;

it.each([
  ['/home/me', '/nfs/me'],
  ['/home/me/a b', '/nfs/me/a b'],
  ['/home/me/work/x', '/scratch/work/x'],
  ['/home/melanie', '/home/melanie'],
  ['/data', '/data'],
])('%s is %s there, and the other way round', (here, there) => {
  expect(placeThere(places, here)).toBe(there);
  expect(placeHere(places, there)).toBe(here);
});

it('a folder of Windows is at home there and back', () => {
  const windows = [['C:\\Users\\me\\work', '/home/me/tree']] as const;
  expect(placeThere(windows, 'C:\\Users\\me\\work\\a\\b')).toBe('/home/me/tree/a/b');
  expect(placeThere(windows, 'D:\\data')).toBe('D:\\data');
  expect(placeThere(windows, 'c:\\users\\Me\\WORK\\A')).toBe('/home/me/tree/A');
  expect(placeHere(windows, '/home/me/tree/a')).toBe('C:/Users/me/work/a');
});

it('tells the way from a folder to one in it', () => {
  expect(pathWithin('/home/me', '/home/me/a/b')).toBe('a/b');
  expect(pathWithin('/home/me', '/home/me')).toBe('');
  expect(pathWithin('/home/me', '/home/melanie/a')).toBe('');
  expect(pathWithin('C:\\work', 'c:\\work\\a\\b')).toBe('a/b');
  expect(pathWithin('C:\\work', 'c:/work/a/b')).toBe('a/b');
});
