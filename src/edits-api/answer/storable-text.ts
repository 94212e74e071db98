/** Deeper values are omitted, because JSON writers recurse and no usage is so deep. */
const MAX_DEPTH = 32;

/** Text that Postgres can store, alone and in jsonb: NUL and lone surrogates become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** JSON that Postgres can store in jsonb. Values deeper than 32 levels become null. */
export function storableJson(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return storableObject(body, MAX_DEPTH);
}

function storableObject(object: object, levels: number): Record<string, unknown> {
  // Not by assignment, because a key may be `__proto__`.
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      storableText(key),
      storableValue(value, levels - 1),
    ]),
  );
}

function storableValue(value: unknown, levels: number): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return null;
  if (!Array.isArray(value)) return storableObject(value, levels);
  return value.map((element) => storableValue(element, levels - 1));
}
