import { expect, test } from 'vitest';
import type { Edit } from '../../src/graphiql/edits/edit.ts';
import { withExpiringUrls } from '../../src/graphiql/edits/image-expiry.ts';

const MINUTE_MS = 60_000;

function edit(...expires: (number | null)[]): Edit {
  const outputImages = expires.map((seconds) => {
    const url = `https://retouch.example/images/a${seconds === null ? '' : `?expires=${seconds}`}`;
    return { id: 'a', url, thumbnailUrl: url, width: 1, height: 1 };
  });
  return { inputImages: [], mask: null, partialImages: [], outputImages } as unknown as Edit;
}

test('the URLs of an edit are renewed from five minutes before the first of them expires', () => {
  const one = edit(7_200, 3_600);
  const at = (minutes: number) => withExpiringUrls([one], minutes * MINUTE_MS);
  expect(at(54.9)).toEqual([]);
  expect(at(55.1)).toEqual([one]);
  expect(at(90)).toEqual([one]);
});

test('URLs that are not signed are never renewed', () => {
  expect(withExpiringUrls([edit(null), edit()], Number.MAX_SAFE_INTEGER)).toEqual([]);
});
