import { createRequestFuzz } from './fuzz-requests.ts';
import type { FuzzRequest } from './fuzz-values.ts';
import { seededRandom } from './random.ts';

/**
 * The requests of the fuzz, with credentials that are right, wrong, cut, doubled or of another kind,
 * at random.
 */
export async function createAccessFuzz(options: {
  seed: number;
  /** Ids of another owner. */
  imageId: string;
  jobId: string;
  /** A key that is valid. */
  key: string;
}): Promise<() => FuzzRequest> {
  const { seed, key } = options;
  const fuzz = await createRequestFuzz(options);
  const random = seededRandom(seed + 1);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <Item>(items: readonly Item[]) => items[below(items.length)] as Item;
  const junk = () =>
    Array.from({ length: below(300) }, () => String.fromCharCode(33 + below(94))).join('');
  const part = () => Buffer.from(junk()).toString('base64url');

  const right = [() => ({ authorization: `Bearer ${key}` }), () => ({ 'x-api-key': key })];
  const wrong: (() => Record<string, string>)[] = [
    () => ({}),
    () => ({ authorization: `Bearer ${key.slice(0, below(key.length))}` }),
    () => ({ authorization: `Bearer ${key}`, 'x-api-key': junk() || 'x' }),
    () => ({ 'x-api-key': `${key}, ${key}` }),
    () => ({ authorization: `Basic ${part()}` }),
    () => ({ authorization: junk() || 'x' }),
    () => ({ authorization: `Bearer ${part()}.${part()}.${part()}` }),
    () => ({
      authorization: `Bearer ${Buffer.from(`{"alg":"${pick(['none', 'HS256', 'RS256'])}","kid":"${junk().replace(/["\\]/g, '')}"}`).toString('base64url')}.${Buffer.from('{"iss":"https://id.example.com/","sub":"boss","aud":"a","exp":9999999999}').toString('base64url')}.${part()}`,
    }),
    () => ({ authorization: `Bearer rt_live_${junk()}`.slice(0, below(2_000)) || 'x' }),
    () => ({ 'x-forwarded-user': 'boss', 'x-user': '' }),
  ];

  return () => {
    const request = fuzz();
    // Half of them get as far as what belongs to the other owner.
    const credential = pick<() => Record<string, string>>(random() < 0.5 ? right : wrong)();
    return { ...request, headers: { ...request.headers, ...credential } };
  };
}
