/** Fields whose values are JSON of the client. */
const JSON_FIELDS = ['metadata', 'extraParams'];

/**
 * The GraphQL selection that returns objects of the same shape. Fields that are null in all of them,
 * whose type cannot be seen, are left out.
 */
export function selectionOf(objects: readonly object[]): string {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  const fields = names.flatMap((name) => {
    const values = objects.flatMap((object) => Reflect.get(object, name) ?? []);
    const nested = values.filter((value) => typeof value === 'object');
    if (values.length === 0) return [];
    if (JSON_FIELDS.includes(name) || nested.length === 0) return name;
    const selection = selectionOf(nested);
    return selection === '' ? [] : `${name} ${selection}`;
  });
  return fields.length === 0 ? '' : `{ ${fields.join(' ')} }`;
}

/** The paths of an object's values, such as `usage.totalTokens`; of a list, those of its items. */
export function pathsOf(objects: readonly object[]): string[] {
  return [
    ...new Set(
      objects.flatMap(Object.entries).flatMap(([name, value]) => {
        const inner = [value].flat().filter((one) => typeof one === 'object' && one !== null);
        return JSON_FIELDS.includes(name) || inner.length === 0
          ? value === null || Array.isArray(value)
            ? []
            : [name]
          : pathsOf(inner).map((path) => `${name}.${path}`);
      }),
    ),
  ];
}
