import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contrastOf, hexOf, readableOn } from '../../../logtext/contrast.ts';

const colour = fc
  .integer({ min: 0, max: 0xffffff })
  .map((number) => `#${number.toString(16).padStart(6, '0')}` as const);

describe('a colour on another', () => {
  it('can be read, whichever they are', () => {
    fc.assert(
      fc.property(fc.option(colour), colour, (front, back) => {
        expect(contrastOf(readableOn(front, back), back)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it('is left alone where it can be read already', () => {
    expect(readableOn('#ffff00', '#000000')).toBe('#ffff00');
    expect(readableOn('#0000ff', '#ffffff')).toBe('#0000ff');
  });

  it('is black or white where none was wanted', () => {
    expect(readableOn(null, '#e5e510')).toBe('#000000');
    expect(readableOn(null, '#00008b')).toBe('#ffffff');
  });

  it('is known for each number of the palette', () => {
    expect([hexOf(0), hexOf(15), hexOf(16), hexOf(255), hexOf('#123456')]).toEqual([
      '#000000',
      '#ffffff',
      '#000000',
      '#eeeeee',
      '#123456',
    ]);
  });
});
