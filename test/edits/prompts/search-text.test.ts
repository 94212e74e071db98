import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldForSearch, searchGrams, termGrams } from '../../../src/edits/prompts/search-text.ts';

describe('what prompts are found by', () => {
  test.each([
    ['Make It AUTUMN', 'make it autumn'],
    ['ＡＢＣ１２３', 'abc123'],
    ['Straße', 'strasse'],
    ['ΟΔΟΣ οδός', 'οδοσ οδόσ'],
    ['把天空换成星空', '把天空换成星空'],
    ['50% _off_', '50% _off_'],
  ])('folds %j to %j', (text, folded) => {
    expect(foldForSearch(text)).toBe(folded);
  });

  test('folds what is folded to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const folded = foldForSearch(text);
        expect(foldForSearch(folded)).toBe(folded);
      }),
    );
  });

  test('gives a text all sequences of any term that it contains', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, (before, term, after) => {
        const folded = foldForSearch(before) + foldForSearch(term) + foldForSearch(after);
        const grams = new Set(searchGrams('owner', folded));
        for (const gram of termGrams('owner', foldForSearch(term))) {
          expect(grams).toContain(gram);
        }
      }),
    );
  });

  test('gives two owners nothing in common', () => {
    const text = foldForSearch('make it autumn, with a castle in the mist');
    const others = new Set(searchGrams('somebody', text));
    expect(searchGrams('somebody else', text).filter((gram) => others.has(gram))).toEqual([]);
  });

  test('fits every sequence into a Postgres integer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const gram of searchGrams('owner', text)) {
          expect(gram).toBe(gram | 0);
        }
      }),
    );
  });
});
