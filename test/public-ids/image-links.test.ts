import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSecretKey, createSecretKeys } from '../../src/config/secret-key.ts';
import { createImageLinks, SIGNED_SECONDS } from '../../src/public-ids/image-links.ts';

const ID = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b';
const BASE = 'https://retouch.example/edits';
const START_SECONDS = 1_800_000_123;

function signing(options: { keys?: ReturnType<typeof createSecretKeys> } = {}) {
  const { keys = createSecretKeys(createSecretKey(randomBytes(32))) } = options;
  let atSeconds = START_SECONDS;
  const now = () => new Date(atSeconds * 1_000);
  const links = createImageLinks({ keys, lastingSeconds: 30 * 86_400, now });
  return {
    ...links,
    keys,
    advance: (seconds: number) => {
      atSeconds += seconds;
    },
    checkUrl: (url: string) => {
      const { pathname, searchParams } = new URL(url);
      return links.check(pathname.split('/').at(-1) ?? '', searchParams);
    },
  };
}

const expiresOf = (url: string) => Number(new URL(url).searchParams.get('expires'));

describe('links to images', () => {
  test('are not signed without a key, and their parameters are not checked', () => {
    const links = createImageLinks({ keys: null, lastingSeconds: 1 });
    const path = `${BASE}/images/SW1hZ2U6MDE5MGExYjItYzNkNC03ZTVmLThhNmItN2M4ZDllMGYxYTJi`;
    expect(links.url(BASE, ID)).toBe(path);
    expect(links.url(BASE, ID, { width: 256, seconds: 60 })).toBe(`${path}?w=256`);
    expect(links.lastingUrl(BASE, ID)).toBe(path);
    expect(links.check(ID, new URLSearchParams('signature=x&expires=1'))).toBeNull();
  });

  test('work for at least as long as was asked for, and at most a quarter longer', () => {
    const { url, lastingUrl, advance } = signing();
    for (let round = 0; round < 50; round += 1) {
      for (const seconds of [SIGNED_SECONDS.min, SIGNED_SECONDS.default, SIGNED_SECONDS.max]) {
        const left = expiresOf(url(BASE, ID, { seconds })) - START_SECONDS - round * 977;
        expect(left).toBeGreaterThanOrEqual(seconds);
        expect(left).toBeLessThanOrEqual(seconds + Math.min(seconds / 4, 86_400));
      }
      const lasting = expiresOf(lastingUrl(BASE, ID)) - START_SECONDS - round * 977;
      expect(lasting).toBeGreaterThanOrEqual(30 * 86_400);
      expect(lasting).toBeLessThanOrEqual(31 * 86_400);
      advance(977);
    }
  });

  test('stay the same for a while, so that a browser uses its copy', () => {
    const { url, advance } = signing();
    const urls = Array.from({ length: 60 }, () => {
      advance(60);
      return url(BASE, ID);
    });
    // An hour has four quarters, and touches a fifth.
    expect(new Set(urls).size).toBeLessThanOrEqual(5);
    expect(new Set(urls).size).toBeGreaterThanOrEqual(4);
  });

  test('are valid until they expire', () => {
    const { url, checkUrl, advance } = signing();
    const link = url(BASE, ID, { width: 64, seconds: 60 });
    const expiresAt = new Date(expiresOf(link) * 1_000);
    expect(checkUrl(link)).toEqual({ isValid: true, expiresAt });
    advance(expiresOf(link) - START_SECONDS - 1);
    expect(checkUrl(link)).toEqual({ isValid: true, expiresAt });
    advance(1);
    expect(checkUrl(link)).toEqual({ isValid: false, reason: expect.stringContaining('expired') });
  });

  test('are not valid with any part altered, added, removed or repeated', () => {
    const { url, checkUrl } = signing();
    const link = new URL(url(BASE, ID, { width: 64 }));
    const other = new URL(url(BASE, ID.replace('0190', '0191'), { width: 64 }));
    const full = new URL(url(BASE, ID));
    const expires = expiresOf(link.href);
    const signature = link.searchParams.get('signature') ?? '';
    const altered = (change: (query: URLSearchParams) => void, from = link) => {
      const copy = new URL(from);
      change(copy.searchParams);
      return copy.href;
    };
    for (const wrong of [
      `${other.origin}${other.pathname}${link.search}`,
      altered((query) => query.set('w', '128')),
      altered((query) => query.set('w', '064')),
      altered((query) => query.delete('w')),
      altered((query) => query.append('w', '64')),
      altered((query) => query.set('w', '64'), full),
      altered((query) => query.set('expires', String(expires + 1))),
      altered((query) => query.set('expires', `${expires}.0`)),
      altered((query) => query.delete('expires')),
      altered((query) => query.delete('signature')),
      altered((query) => query.set('signature', '')),
      altered((query) => query.append('signature', signature)),
      altered((query) =>
        query.set(
          'signature',
          signature.replace(/^./, (c) => (c === '0' ? '1' : '0')),
        ),
      ),
      altered((query) => query.set('signature', `${signature.slice(0, -1)}=`)),
      altered((query) => query.set('signature', `${signature}A`)),
      altered((query) => query.set('signature', signature.toUpperCase())),
    ]) {
      expect(checkUrl(wrong), wrong).toEqual({
        isValid: false,
        reason: expect.stringContaining('not valid'),
      });
    }
    expect(checkUrl(link.href)).toMatchObject({ isValid: true });
  });

  test('of an earlier key work while it is configured; new ones are signed with the current key', () => {
    const old = createSecretKey(randomBytes(32));
    const current = createSecretKey(randomBytes(32));
    const before = signing({ keys: createSecretKeys(old) });
    const during = signing({ keys: createSecretKeys(current, [old]) });
    const after = signing({ keys: createSecretKeys(current) });
    const link = before.url(BASE, ID);
    expect(during.checkUrl(link)).toMatchObject({ isValid: true });
    expect(after.checkUrl(link)).toMatchObject({ isValid: false });
    expect(after.checkUrl(during.url(BASE, ID))).toMatchObject({ isValid: true });
  });
});
