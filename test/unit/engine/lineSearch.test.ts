import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hit, LineSearch, type Sought } from '../../../server/engine/lineSearch.ts';
import type { LogChunk } from '../../../server/protocol/logs.ts';

type Piece = [LogChunk['stream'], string | Buffer];

function search(sought: Partial<Sought> & { text: string }, pieces: readonly Piece[]): Hit[] {
  const lines = new LineSearch({ matchCase: false, ...sought });
  let at = 0;
  const hits = pieces.flatMap(([stream, content]) => {
    const data = Buffer.from(content);
    at += data.length;
    return lines.push({ stream, data }, at - data.length);
  });
  return [...hits, ...lines.end()];
}

/** What a search of the whole text finds, line by line. */
function naive(text: string, pieces: readonly Piece[]): string[] {
  const found: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes: [number, number][] = [];
    let at = 0;
    for (const [each, content] of pieces) {
      for (const byte of Buffer.from(content)) {
        if (each === stream) bytes.push([byte, at]);
        at += 1;
      }
    }
    let line: [number, number][] = [];
    let number = 1;
    for (const [byte, position] of [...bytes, [10, at] as [number, number]]) {
      if (byte !== 10) {
        line.push([byte, position]);
        continue;
      }
      const start = line[0]?.[1];
      if (start !== undefined && Buffer.from(line.map(([one]) => one)).includes(text)) {
        found.push(`${stream} ${start} ${number}`);
      }
      line = [];
      number += 1;
    }
  }
  return found;
}

describe('a search', () => {
  it('finds the same lines wherever the pieces are cut', () => {
    const piece = fc.tuple(
      fc.constantFrom<LogChunk['stream']>('stdout', 'stderr'),
      fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\n'), maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('ab', 'é', 'bé'), (pieces, text) => {
        const hits = search({ text, matchCase: true }, pieces);
        const found = hits.map(({ stream, position, line }) => `${stream} ${position} ${line}`);
        expect(found.sort()).toEqual(naive(text, pieces).sort());
      }),
    );
  });

  it('takes capitals for small letters unless told otherwise, also outside ASCII', () => {
    const pieces: Piece[] = [['stdout', 'Größe ÄRGER\nfehler\nFEHLER\n']];
    expect(search({ text: 'Fehler' }, pieces).map(({ line }) => line)).toEqual([2, 3]);
    expect(search({ text: 'FEHLER', matchCase: true }, pieces).map(({ line }) => line)).toEqual([3]);
    expect(search({ text: 'ärger' }, pieces)).toMatchObject([{ line: 1, at: 6, length: 5 }]);
  });

  it('passes over colours, wherever they stand', () => {
    const pieces: Piece[] = [
      ['stderr', '\u001b[31merr\u001b[1;32mor\u001b[0m: no\n\u001b]0;title\u0007plain\n'],
    ];
    expect(search({ text: 'error:' }, pieces)).toMatchObject([{ text: 'error: no', at: 0 }]);
    expect(search({ text: 'error:', matchCase: true }, pieces)).toHaveLength(1);
    expect(search({ text: 'title' }, pieces)).toEqual([]);
  });

  it('shows the surroundings of the first match of a long line', () => {
    const [hit] = search({ text: 'needle' }, [
      ['stdout', `${'x'.repeat(5_000)}needle${'y'.repeat(5_000)}\n`],
    ]);
    expect(hit?.text.length).toBeLessThan(600);
    expect(hit?.text.slice(hit.at, hit.at + hit.length)).toBe('needle');
  });

  it('does not wait for ever for the end of a line', () => {
    const lines = new LineSearch({ text: 'needle', matchCase: false });
    const hits = [...Array(40)].flatMap((_, i) =>
      lines.push({ stream: 'stdout', data: Buffer.from(`needle${'x'.repeat(100_000)}`) }, i * 100_006),
    );
    expect(hits.length).toBeGreaterThan(0);
  });
});
