/** What servers wrap an answer in. */
const WRAPPERS = ['data', 'result', 'output', 'response', 'metadata'];

/**
 * `usage` of an answer, as it stands there: at the root, in what wraps the answer, or with each element
 * of `data`, which is then summed up. Undefined: there is none.
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
 * The usages of several images as one: numbers of the same name are added, at any depth. Null
 * when one of them is missing: a part is not the whole.
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
