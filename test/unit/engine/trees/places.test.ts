import { expect, it } from 'vitest';
import { placeHere, placeThere } from '../../../../server/engine/trees/places.ts';

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
  expect(placeHere(windows, '/home/me/tree/a')).toBe('C:/Users/me/work/a');
});
