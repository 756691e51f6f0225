import { describe, expect, it } from 'vitest';
import { serverLogLine } from '../../../../cli/render/serverLog.ts';

describe('a line of the server log', () => {
  it.each([
    ['{"level":30,"time":"T","msg":"ready","port":1}', 'T info  ready {"port":1}'],
    [
      '{"level":50,"time":"T","msg":"bad\\u001b[2J","err":{"stack":"Error: x\\n  at y"}}',
      'T error bad␛[2J\n    Error: x\n      at y',
    ],
    ['node: some warning\x1b', 'node: some warning␛'],
    ['"text"', '"text"'],
    ['null', 'null'],
    ['{"level":30', '{"level":30'],
  ])('%j', (line, shown) => {
    expect(serverLogLine(line)).toBe(shown);
  });
});
