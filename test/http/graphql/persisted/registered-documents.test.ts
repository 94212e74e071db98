import { expect, test } from 'vitest';
import { createRegisteredDocuments } from '../../../../src/http/graphql/persisted/registered-documents.ts';

test('forgets the documents that were used least recently, once all are too long together', () => {
  const documents = createRegisteredDocuments(30);
  for (const hash of ['a', 'b', 'c']) documents.add(hash, hash.repeat(10));
  expect(documents.find('a')).toBe('aaaaaaaaaa');
  documents.add('d', 'd'.repeat(5));
  expect(['a', 'b', 'c', 'd'].filter((hash) => documents.find(hash))).toEqual(['a', 'c', 'd']);
  // The same document again takes no further space.
  for (let round = 0; round < 10; round += 1) documents.add('c', 'c'.repeat(10));
  expect(['a', 'c', 'd'].filter((hash) => documents.find(hash))).toEqual(['a', 'c', 'd']);
});

test('registers no document of more than 64 kB', () => {
  const documents = createRegisteredDocuments();
  documents.add('long', 'x'.repeat(64 * 1024 + 1));
  expect(documents.find('long')).toBeUndefined();
});
