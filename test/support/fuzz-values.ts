export interface FuzzRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** JSON as it may stand in a request. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Random = () => number;

/** More than the service reads of JSON. */
const MAX_LIST_CHARACTERS = 3_000_000;

/** With something else in the place of one or more of its parts. */
export function mutate(random: Random, value: Json, probability = 1): Json {
  let mutated = value;
  for (let go = chance(random, probability); go; go = chance(random, 0.4)) {
    mutated = mutateOnce(random, mutated);
  }
  return mutated;
}

function mutateOnce(random: Random, value: Json): Json {
  if (typeof value !== 'object' || value === null || chance(random, 0.15)) return nasty(random);
  if (Array.isArray(value)) {
    if (value.length === 0 || chance(random, 0.3)) {
      const item = value[0] ?? nasty(random);
      // A list of long lists of long lists would take minutes to write down.
      const most = Math.floor(MAX_LIST_CHARACTERS / JSON.stringify(item).length);
      const length = Math.min(most, pick(random, [0, 2, 17, 100, 101, 3_000]));
      return Array.from({ length }, () => item);
    }
    const at = int(random, value.length);
    return value.map((part, index) => (index === at ? mutateOnce(random, part) : part));
  }
  const keys = Object.keys(value);
  const key =
    keys.length === 0 || chance(random, 0.1)
      ? String(nasty(random)).slice(0, 50)
      : pick(random, keys);
  if (chance(random, 0.1))
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key]: mutateOnce(random, value[key] ?? null) };
}

function nasty(random: Random): Json {
  return pick<() => Json>(random, [
    () => null,
    () => true,
    () => 0,
    () => -1,
    () => 2 ** 31,
    () => 1e308,
    () => 0.5,
    () => '',
    () => 'x'.repeat(int(random, 200_000)),
    () => String.fromCharCode(int(random, 0x10000)),
    () => '\u0000',
    () => '\ud800',
    () => '👨‍👩‍👧 ‮',
    () => '__proto__',
    () => 'variables.__proto__.polluted',
    () => '2026-99-99T00:00:00Z',
    () => '1'.repeat(400),
    () => Buffer.from(`EditJob:${int(random, 1e9)}`).toString('base64url'),
    () => [],
    () => ({}),
    () => ({ __typename: 'EditJob', id: [] }),
    () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
    () => nested(int(random, 3_000)),
    () => Array.from({ length: int(random, 20_000) }, () => 'WRONG'),
    () => Object.fromEntries(Array.from({ length: int(random, 2_000) }, (_, at) => [`k${at}`, at])),
  ])();
}

const nested = (levels: number) =>
  JSON.parse(`${'['.repeat(levels + 1)}${']'.repeat(levels + 1)}`) as Json;

/** Cut, doubled, or with some bytes changed. */
export function damage(random: Random, body: Uint8Array): Uint8Array {
  const at = int(random, body.length);
  if (chance(random, 0.4)) return body.subarray(0, at);
  if (chance(random, 0.2)) return Buffer.concat([body.subarray(0, at), body]);
  const changed = Buffer.from(body);
  for (let times = 1 + int(random, 20); times > 0; times -= 1) {
    changed[int(random, changed.length)] = int(random, 256);
  }
  return changed;
}

export function randomBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: int(random, most) }, () => int(random, 256));
}

export const chance = (random: Random, probability: number) => random() < probability;
export const int = (random: Random, below: number) => Math.floor(random() * below);
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[int(random, items.length)] as Item;
}
