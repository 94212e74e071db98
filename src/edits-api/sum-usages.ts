/**
 * The usages of several pictures as one: numbers of the same name are added, at any depth. Null
 * when one of them is missing: a part is not the whole.
 */
export function sumUsages(usages: readonly unknown[]): Readonly<Record<string, unknown>> | null {
  if (usages.length === 0 || !usages.every(isRecord)) return null;
  return usages.reduce(add);
}

function add(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = Object.hasOwn(sum, name) ? sum[name] : undefined;
    if (typeof before === 'number' && typeof value === 'number') sum[name] = before + value;
    else if (isRecord(before) && isRecord(value)) sum[name] = add(before, value);
    else sum[name] = value ?? before;
  }
  return sum;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
