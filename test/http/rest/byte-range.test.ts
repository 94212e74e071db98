import { expect, it } from 'vitest';
import { parseByteRange } from '../../../src/http/rest/byte-range.ts';

it.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-99', { start: 0, end: 99 }],
  ['bytes=10-19', { start: 10, end: 19 }],
  ['bytes=90-', { start: 90, end: 99 }],
  ['bytes=90-1000', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-1000', { start: 0, end: 99 }],
  ['BYTES=1-2', { start: 1, end: 2 }],
  ['bytes=1-2, 200-', { start: 1, end: 2 }],
])('reads %s of 100 bytes', (header, range) => {
  expect(parseByteRange(header, 100)).toEqual(range);
});

it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999-'])(
  'cannot satisfy %s of 100 bytes',
  (header) => {
    expect(parseByteRange(header, 100)).toBe('unsatisfiable');
  },
);

it.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=5-4',
  'bytes=0-1,5-6',
  'bytes=a-b',
  'bytes=0x1-2',
  'bytes=--1',
  'bytes 0-1',
  'items=0-1',
])('sends everything for %j', (header) => {
  expect(parseByteRange(header, 100)).toBeNull();
});
