import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LOCAL_VIEWER } from '../../../../src/auth/viewer.ts';
import { viewerOf } from '../../../../src/auth/visible.ts';
import { createPersistedOperations } from '../../../../src/http/graphql/persisted/persisted-operations.ts';

const QUERY = '{ __typename }';
const BY_HASH = {
  extensions: {
    persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(QUERY).digest('hex') },
  },
};

describe('the document of a request', () => {
  test('that only an admin has registered does not run for others, where only those in the file do', () => {
    const operations = createPersistedOperations({ list: new Map(), only: true });
    expect(operations.documentOf({ query: QUERY, ...BY_HASH }, LOCAL_VIEWER)).toBe(QUERY);
    expect(operations.documentOf(BY_HASH, LOCAL_VIEWER)).toBe(QUERY);
    expect(() => operations.documentOf(BY_HASH, viewerOf('ann'))).toThrow('PersistedQueryNotFound');
  });

  test('that is too large is rejected before it is parsed or registered', () => {
    const operations = createPersistedOperations({ list: new Map(), only: false });
    const query = `{ ${'a '.repeat(5_000)} }`;
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const known = { extensions: { persistedQuery: { version: 1, sha256Hash } } };
    const run = (params: object) => operations.documentOf(params, LOCAL_VIEWER);
    expect(() => run({ query, ...known })).toThrow('too large');
    expect(() => run(known)).toThrow('PersistedQueryNotFound');
  });

  test('is undefined without a document and an id, whatever else the request has', () => {
    const operations = createPersistedOperations({ list: new Map(), only: true });
    for (const params of [
      {},
      { query: '' },
      { query: 1 },
      { extensions: null },
      { extensions: { persistedQuery: 'x' } },
      { extensions: { persistedQuery: { version: 2, sha256Hash: 'x' } } },
      { extensions: { persistedQuery: { version: 1, sha256Hash: 1 } } },
      { documentId: 1 },
    ]) {
      expect(operations.documentOf(params, viewerOf('ann'))).toBeUndefined();
    }
  });
});
