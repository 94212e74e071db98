import { expect, test } from 'vitest';
import { chooseEncoding } from '../../../src/http/page/content-encoding.ts';

test.each([
  [undefined, null],
  ['', null],
  ['identity', null],
  ['gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'br'],
  ['GZIP;q=0.8, BR;q=0.1', 'br'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.000, gzip;q=0', null],
  ['*', 'br'],
  ['*;q=0', null],
  ['br;q=0, *', 'gzip'],
  ['brotli, xgzip', null],
])('a client that accepts %j gets %s', (accepted, chosen) => {
  expect(chooseEncoding(accepted)).toBe(chosen);
});
