import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../src/edits-api/answer/redact.ts';

const KEY = 'sk-proj-Ab3d+Ef/gH1_jK=lmN0pq-stuVwx9Z';
/** Of a relay. */
const OTHER = 'fk7c2e9b/41d8+46a5';
const redact = createRedactor([KEY, OTHER]);

/** Any four characters of a key in a row. */
function piecesIn(text: string, secret: string): string[] {
  const pieces = Array.from({ length: secret.length - 3 }, (_, at) => secret.slice(at, at + 4));
  return pieces.filter((piece) => text.includes(piece));
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const htmlOf = (text: string) => text.replaceAll(/\W/g, (one) => `&#${one.charCodeAt(0)};`);

describe.each([KEY, OTHER])('the key %s', (key) => {
  it.each<[form: string, spelled: string]>([
    ['as it is', key],
    ['in a header', `Bearer ${key}`],
    ['inside a word', `key=x${key}x`],
    ['in small letters', key.toLowerCase()],
    ['URL-encoded', encodeURIComponent(key)],
    ['URL-encoded in small hex', encodeURIComponent(key).toLowerCase()],
    ['URL-encoded twice', encodeURIComponent(encodeURIComponent(key))],
    ['URL-encoded in each character', key.replaceAll(/./g, (one) => `%${hex(one)}`)],
    ['in JSON with \\/', key.replaceAll('/', '\\/')],
    ['in JSON with \\u', key.replaceAll(/\W/g, (one) => `\\u00${hex(one)}`)],
    ['in JSON within JSON', key.replaceAll(/\W/g, (one) => `\\\\u00${hex(one).toUpperCase()}`)],
    ['in HTML', htmlOf(key)],
    ['in hex', Buffer.from(key).toString('hex')],
    ['in hex of capitals', Buffer.from(key).toString('hex').toUpperCase()],
  ])('is hidden %s', (_, spelled) => {
    const shown = redact(`Wrong key "${spelled}", try again`);
    expect(shown).toMatch(/^Wrong key ".*\[redacted\].*", try again$/);
    expect(shown.length).toBeLessThan('Wrong key "key=x[redacted]x", try again'.length + 8);
  });

  it.each(['', 'a', 'ab', 'Bearer ', 'user:', 'Basic x:'])(
    'is hidden in base64 behind %j',
    (before) => {
      for (const behind of ['', '!', '!!']) {
        const standard = base64(before + key + behind);
        const ofUrls = standard.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
        for (const text of [standard, ofUrls, encodeURIComponent(standard)]) {
          const shown = redact(`Bad header <${text}>`);
          expect(shown).toMatch(/^Bad header <[\w+/=-]{0,4}\[redacted\]>$/);
        }
      }
    },
  );

  it.each<[form: string, spelled: string]>([
    ['with stars in the middle', `${key.slice(0, 8)}****${key.slice(-4)}`],
    ['with many stars', `${key.slice(0, 3)}${'*'.repeat(40)}${key.slice(-4)}`],
    ['with stars behind it', `${key.slice(0, 5)}***`],
    ['with stars before it', `****${key.slice(-4)}`],
    ['with dots in the middle', `${key.slice(0, 5)}...${key.slice(-4)}`],
    ['with an ellipsis', `${key.slice(0, 5)}…${key.slice(-4)}`],
    ['with bullets', `${key.slice(0, 5)}••••${key.slice(-4)}`],
    ['with xxxx', `${key.slice(0, 5)}xxxxxxxx${key.slice(-4)}`],
    ['cut', key.slice(0, 12)],
    ['cut by one', key.slice(0, -1)],
    ['without its beginning', key.slice(-9)],
  ])('is hidden %s', (_, spelled) => {
    expect(redact(`Incorrect API key provided: ${spelled}. See https://x/keys.`)).toBe(
      'Incorrect API key provided: [redacted]. See https://x/keys.',
    );
    expect(piecesIn(redact(`(${spelled}) ${spelled}...`), key)).toEqual([]);
  });
});

describe('keys of others', () => {
  it.each(['sk-other-key', 'sk-proj-abc***xyz', 'sk-ab...wxyz', 'sk-ab***', 'sk-ab…yz', 'SK-0123'])(
    'are hidden when they look like one of OpenAI: %s',
    (key) => {
      expect(redact(`Incorrect API key provided: ${key}. Try "${key}"`)).toBe(
        'Incorrect API key provided: [redacted]. Try "[redacted]"',
      );
    },
  );
});

describe('the organisation', () => {
  it.each([
    [
      'Rate limit reached for gpt-image-1 in organization org-Ab3dEf6hIj9kLmN0pQrStUvW on images',
      ' in organization [redacted] on images',
    ],
    ['Organization org-abc', 'Organization [redacted]'],
    ['"organization_id": "org-abc"', '"organization_id": "[redacted]"'],
    ['organisation `org-acme`, project proj_xyz', 'organisation `[redacted]`, project [redacted]'],
    ['for org-12ab', 'for [redacted]'],
    ['not in proj_Ab3dEf6hIj9kLmN0pQrStUvW.', 'not in [redacted].'],
    ['for org-abcdefghijklmnopqrst:', 'for [redacted]:'],
    ['for org-ab***xy', 'for [redacted]'],
  ])('is hidden in %j', (text, shown) => {
    expect(redact(text)).toContain(shown);
    expect(redact(text)).not.toMatch(/org-|proj_/);
  });
});

describe('what is no secret', () => {
  it.each([
    'a task-force at the risk-free desk of an org-wide policy in sk-SK',
    'You must be a member of an organization to use the API.',
    'The image... is **not** valid; see the ****** above.',
    'Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.',
    'Invalid size 1024x1024: xxxx',
  ])('stays: %s', (text) => {
    expect(redact(text)).toBe(text);
    expect(createRedactor(['image-editing-key'])(text)).toBe(text);
  });

  it.each([
    ['test', 'The latest test-run of contests: testing test_1', null],
    ['test', 'Incorrect API key "test" (test).', 'Incorrect API key "[redacted]" ([redacted]).'],
    ['x', 'max 1024x1024 of x-request-id in box: 78', null],
    ['x', 'key=x', 'key=[redacted]'],
    ['a', 'banana and café', null],
    ['sandbox', 'sandboxes are not a Sandbox', null],
    ['k+y', 'key k%2By, k\\u002by, ayk+yk', 'key [redacted], [redacted], ayk+yk'],
    [
      'test',
      `Basic ${base64('test')} and ${base64('Bearer test')}`,
      'Basic [redacted]== and [redacted]=',
    ],
  ])('a short key %j hides no part of words in %j', (key, text, shown) => {
    expect(createRedactor([key])(text)).toBe(shown ?? text);
  });
});

it('an empty key hides nothing', () => {
  expect(createRedactor([''])('a word')).toBe('a word');
});

it('keeps at most 2,000 characters, and hides before it cuts', () => {
  expect(redact('y '.repeat(3000))).toHaveLength(2000);
  expect(piecesIn(redact(`${'y '.repeat(995)}${OTHER}`), OTHER)).toEqual([]);
});

it('replaces what a database does not store: NUL and half a surrogate pair', () => {
  expect(redact('a\0b \ud83d c \u{1f3a9}')).toBe('a\ufffdb \ufffd c \u{1f3a9}');
  expect(redact(`${'x '.repeat(999)}y\u{1f3a9}`).isWellFormed()).toBe(true);
});

it('takes a message of 20,000 characters of any kind', () => {
  for (const text of ['A', KEY.slice(0, 9), OTHER.slice(0, 7), '*', 'x', '.', '%25', '\\']) {
    expect(redact(text.repeat(20_000 / text.length)).length).toBeLessThanOrEqual(2000);
  }
});

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
