import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvLine } from '../../src/export/csv.ts';

/** A reader by the grammar of RFC 4180, chapter 2. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gu,
  )) {
    record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}

/** What who reads a guarded cell does. */
const unguard = (cell: string) => cell.replace(/^'(?='*[=+\-@\t\r\n])/, '');

const cells = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', "'", '=', '+', '-', '@', '\t', '中') }),
  ),
  { minLength: 1 },
);

describe('a line of CSV', () => {
  test('reads back as the cells that were written, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(cells, { minLength: 1 }), (records) => {
        const read = parseCsv(records.map(csvLine).join(''));
        expect(read.map((record) => record.map(unguard))).toEqual(records);
      }),
    );
  });

  test('has no cell that a spreadsheet takes for a formula', () => {
    fc.assert(
      fc.property(cells, (record) => {
        for (const cell of parseCsv(csvLine(record))[0] ?? []) {
          expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
        }
      }),
    );
  });

  test.each([
    [['a', 'b'], 'a,b\r\n'],
    [['a"b', 'c,d', 'e\nf'], '"a""b","c,d","e\nf"\r\n'],
    [['=1+1', '-2', "'=3", "'tis"], "'=1+1,'-2,''=3,'tis\r\n"],
    [['', ''], ',\r\n'],
  ])('of %j is %j', (record, line) => {
    expect(csvLine(record)).toBe(line);
  });
});
