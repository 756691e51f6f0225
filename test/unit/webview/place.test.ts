import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Memory, type OutlineBox, place, type Rect } from '../../../webview/layout/place.ts';
import { overlaps } from '../../../webview/render/camera.ts';

/** A box of tasks, each of which depends on some before it. */
function outline(upstreams: readonly (readonly number[])[], key = 'box'): OutlineBox {
  return {
    key,
    items: upstreams.map((_, at) => ({ key: `${key}/${at}`, width: 200, height: 48, inner: null })),
    edges: upstreams.flatMap((each, to) =>
      [...new Set(each)].map((from) => ({ from: `${key}/${from}`, to: `${key}/${to}` })),
    ),
  };
}

const graphs = fc
  .integer({ min: 1, max: 25 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, at) =>
        at === 0 ? fc.constant([]) : fc.array(fc.nat(at - 1), { maxLength: 3 }),
      ),
    ),
  );

it('lets nothing overlap, and every dependency leads to the right', () => {
  fc.assert(
    fc.property(graphs, (upstreams) => {
      const box = outline(upstreams);
      const { rects } = place(box, new Map());
      const all = box.items.map(({ key }) => rects[key] as Rect);
      for (const [at, one] of all.entries())
        for (const other of all.slice(at + 1)) expect(overlaps(one, other)).toBe(false);
      for (const { from, to } of box.edges)
        expect((rects[from] as Rect).x).toBeLessThan((rects[to] as Rect).x);
    }),
    { numRuns: 25 },
  );
});

it('keeps the order of what was there when more comes', () => {
  fc.assert(
    fc.property(
      graphs,
      fc.array(fc.array(fc.nat(), { maxLength: 2 }), { minLength: 1, maxLength: 6 }),
      (upstreams, more) => {
        const memory: Memory = new Map();
        const before = place(outline(upstreams), memory).rects;
        const size = upstreams.length;
        const grown = [...upstreams, ...more.map((each, at) => each.map((number) => number % (size + at)))];
        const after = place(outline(grown), memory).rects;
        const layer = (rects: Record<string, Rect>, at: number) => rects[`box/${at}`] as Rect;
        for (let a = 0; a < size; a++) {
          for (let b = 0; b < size; b++) {
            const wasAbove =
              layer(before, a).x === layer(before, b).x && layer(before, a).y < layer(before, b).y;
            const isBeside = layer(after, a).x === layer(after, b).x;
            if (wasAbove && isBeside) expect(layer(after, a).y).toBeLessThan(layer(after, b).y);
          }
        }
      },
    ),
    { numRuns: 25 },
  );
});

it('lays a box out within the one around it', () => {
  const inner = outline([[], [0]], 'inner');
  const box: OutlineBox = {
    key: 'outer',
    items: [
      { key: 'inner', width: 0, height: 0, inner },
      { key: 'last', width: 200, height: 48, inner: null },
    ],
    edges: [{ from: 'inner', to: 'last' }],
  };
  const { rects, lines } = place(box, new Map());
  const [outer, held] = [rects.outer as Rect, rects.inner as Rect];
  for (const key of ['inner/0', 'inner/1']) {
    const rect = rects[key] as Rect;
    expect(rect.x).toBeGreaterThan(held.x);
    expect(rect.x + rect.width).toBeLessThan(held.x + held.width);
    expect(rect.y + rect.height).toBeLessThan(held.y + held.height);
  }
  expect(held.x + held.width).toBeLessThan(outer.width);
  expect(lines.inner?.length).toBe(1);
  expect(lines.outer?.[0]?.[0]).toBeCloseTo(held.x + held.width);
});
