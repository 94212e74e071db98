import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/edits-api/answer/redact.ts';
import { parseModelList } from '../../../src/edits-api/models/parse-model-list.ts';

const KEY = 'sk-secret-0123456789';
const redact = createRedactor([KEY]);
const parse = (body: unknown) =>
  parseModelList(typeof body === 'string' ? body : JSON.stringify(body), redact);
const dateOf = (shutdown_date: unknown) => parse([{ id: 'm', shutdown_date }])?.[0]?.shutdownDate;

test('a list in the official shape is read', () => {
  const data = [
    { id: 'a', object: 'model', created: 1_700_000_000, owned_by: 'system' },
    { id: 'b', object: 'model', created: 1, owned_by: 'us', shutdown_date: '2026-12-01' },
  ];
  expect(parse({ object: 'list', data })).toEqual([
    { id: 'a', created: 1_700_000_000, ownedBy: 'system', shutdownDate: null },
    { id: 'b', created: 1, ownedBy: 'us', shutdownDate: '2026-12-01' },
  ]);
});

describe('a shutdown date is read', () => {
  test.each([
    ['a date', '2026-12-01', '2026-12-01'],
    ['a date with a time', '2026-12-01T23:30:00-05:00', '2026-12-02'],
    ['Unix seconds', 1_796_083_200, '2026-12-01'],
    ['Unix seconds as text', '1796083200', '2026-12-01'],
    ['milliseconds', 1_796_083_200_000, '2026-12-01'],
  ])('as %s', (_, given, date) => {
    expect(dateOf(given)).toBe(date);
  });

  test.each([
    '',
    'soon',
    '2026-13-45',
    '1 Dec',
    '0001-01-01',
    '99999-01-01',
    0,
    -1,
    1e300,
    {},
    [],
    true,
    null,
  ])('as none from %j', (given) => {
    expect(dateOf(given)).toBeNull();
  });
});

describe('a list of a compatible server', () => {
  test('may lack all but names, and have fields of its own', () => {
    const unknown = { created: null, ownedBy: null, shutdownDate: null };
    const data = [{ id: 'a', created: 'today', owned_by: 7, extra: [1] }, 'b'];
    const models = ['a', 'b'].map((id) => ({ id, ...unknown }));
    expect(parse({ data })).toEqual(models);
    expect(parse(data)).toEqual(models);
    expect(parse(`\ufeff{"data":[{"id":"a"},{"id":"b"},],"x":NaN}`)).toEqual(models);
  });

  test.each([
    '<html>no</html>',
    '',
    'null',
    '7',
    '"a"',
    '{}',
    '{"data":{}}',
    '{"data":[]}',
    '{"data":[1,null,{}]}',
  ])('that names no model is none: %s', (body) => {
    expect(parse(body)).toBeNull();
  });

  test('loses entries that no edit could name', () => {
    const bad = ['', 'a b', 'x'.repeat(101), 'a\u0000b', '<b>', 'é', { id: { toString: 1 } }];
    expect(parse([...bad, 'x'.repeat(100)])?.map(({ id }) => id)).toEqual(['x'.repeat(100)]);
  });

  test('loses what contains a key', () => {
    const [one, ...others] = parse([KEY, { id: 'a', owned_by: `of ${KEY}` }]) ?? [];
    expect(one).toMatchObject({ id: 'a', ownedBy: null });
    expect(others).toEqual([]);
  });

  test('keeps the first of entries with one name, and at most 5,000', () => {
    const many = Array.from({ length: 6_000 }, (_, i) => ({ id: `m${i}` }));
    expect(parse([{ id: 'm0', owned_by: 'first' }, ...many])).toHaveLength(5_000);
    expect(parse([{ id: 'a', owned_by: 'first' }, { id: 'a' }])).toMatchObject([
      { ownedBy: 'first' },
    ]);
  });

  test('may have names of built-in properties', () => {
    expect(parse('[{"id":"__proto__"},{"id":"constructor"}]')?.map(({ id }) => id)).toEqual([
      '__proto__',
      'constructor',
    ]);
    expect(parse('{"__proto__":{"data":["a"]}}')).toBeNull();
  });
});
