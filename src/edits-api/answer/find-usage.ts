/** Objects that some servers wrap a response in. */
const WRAPPERS = ['data', 'result', 'output', 'response', 'metadata'];

/**
 * Finds the `usage` of a response unchanged: at the root, in a wrapping object, or in each element
 * of `data`, whose usages are then added up. Undefined if there is none.
 */
export function findUsage(body: Readonly<Record<string, unknown>>): unknown {
  if ((body['usage'] ?? null) !== null) return body['usage'];
  for (const name of WRAPPERS) {
    const inner = body[name];
    if (isObject(inner) && (inner['usage'] ?? null) !== null) return inner['usage'];
  }
  const { data } = body;
  if (!Array.isArray(data)) return undefined;
  return (
    sumUsages(data.map((element) => (isObject(element) ? element['usage'] : null))) ?? undefined
  );
}

/**
 * Adds up the usages of several images: numbers of the same name, at any depth. Null if one is
 * missing, because a partial sum is wrong.
 */
export function sumUsages(usages: readonly unknown[]): Readonly<Record<string, unknown>> | null {
  if (usages.length === 0 || !usages.every(isObject)) return null;
  return usages.reduce(add);
}

function add(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = Object.hasOwn(sum, name) ? sum[name] : undefined;
    if (typeof before === 'number' && typeof value === 'number') sum[name] = before + value;
    else if (isObject(before) && isObject(value)) sum[name] = add(before, value);
    else sum[name] = value ?? before;
  }
  return sum;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
