import { createHash } from 'node:crypto';

/** Longest sequence of characters that the index knows; a longer term is looked up by its parts. */
const MAX_GRAM_CHARACTERS = 3;

/**
 * What prompts and search terms are compared by: case, width (`ＡＢＣ`), ligatures and other
 * compatibility forms make no difference (Unicode NFKC); accents do. In code, not in Postgres,
 * where it would depend on the database's locale. Folding twice is folding once.
 */
export function foldForSearch(text: string): string {
  // By way of the upper case: it joins what has two lower cases, such as the Greek sigma, or none (ß).
  const folded = text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return folded.normalize('NFKC');
}

/**
 * What a folded text is indexed by: a hash of each sequence of one to three characters (code
 * points), salted with the owner, so that the index itself keeps owners apart. Two sequences may
 * share a hash: what the index finds has to be looked at again.
 */
export function searchGrams(ownerId: string, folded: string): number[] {
  const seed = ownerSeed(ownerId);
  const characters = [...folded];
  const grams = new Set<number>();
  for (let length = 1; length <= MAX_GRAM_CHARACTERS; length++) {
    for (let at = 0; at + length <= characters.length; at++) {
      grams.add(hash(seed, characters, at, length));
    }
  }
  return [...grams].sort((a, b) => a - b);
}

/**
 * The sequences that a text must have to contain a term: of the greatest length only, since those
 * contain the shorter ones. Empty for an empty term, which every text contains.
 */
export function termGrams(ownerId: string, folded: string): number[] {
  const seed = ownerSeed(ownerId);
  const characters = [...folded];
  const length = Math.min(MAX_GRAM_CHARACTERS, characters.length);
  if (length === 0) return [];
  const grams = new Set<number>();
  for (let at = 0; at + length <= characters.length; at++) {
    grams.add(hash(seed, characters, at, length));
  }
  return [...grams];
}

function ownerSeed(ownerId: string): number {
  return createHash('sha256').update(ownerId).digest().readInt32LE();
}

/** FNV-1a over code points, with the finish of MurmurHash3; a signed 32-bit integer, as Postgres has. */
function hash(seed: number, characters: readonly string[], at: number, length: number): number {
  let value = seed ^ 0x811c9dc5;
  for (let index = at; index < at + length; index++) {
    value = Math.imul(value ^ (characters[index]?.codePointAt(0) ?? 0), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}
