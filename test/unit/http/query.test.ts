import { expect, it } from 'vitest';
import { parseQuery } from '../../../server/http/query.ts';
import { listQuerySchema } from '../../../server/protocol/queries.ts';

const parse = (text: string) => parseQuery(listQuerySchema, new URLSearchParams(text));

it('fills in the defaults', () => {
  expect(parse('')).toEqual({ top: false, limit: 100 });
});

it('reads numbers, booleans, words with commas and repeated keys', () => {
  expect(
    parse('limit=7&top=true&status=SUCCESS,FAILURE&status=RUNNING&label=a=1,2&label=b==&text=%2A.csv'),
  ).toEqual({
    limit: 7,
    top: true,
    status: ['SUCCESS', 'FAILURE', 'RUNNING'],
    label: ['a=1,2', 'b=='],
    text: '*.csv',
  });
});

it.each([
  ['limit=many', 'limit is "many"; expected number, received string.'],
  ['limit=', 'limit is ""; expected number, received string.'],
  ['limit=1001', 'limit is 1001; expected number to be <=1000.'],
  ['limit=1&limit=2', 'limit is given more than once.'],
  ['top=yes', 'top is "yes"; expected boolean, received string.'],
  ['status=SUCCES', 'status[0] is "SUCCES"; did you mean "SUCCESS"?'],
  ['label=a', 'label[0] is "a"; must look like KEY=VALUE.'],
  ['prent=x', '"prent" is unknown; did you mean "parent"?'],
  ['toString=x', '"toString" is unknown; the keys are parent, top, below,'],
])('refuses %s', (text, message) => {
  expect(() => parse(text)).toThrow(`In the query, ${message}`);
});
