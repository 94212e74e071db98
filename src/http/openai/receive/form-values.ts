import { InvalidInputError } from '../../../errors.ts';
import { type GivenValues, invalidValue, objectOf } from './given-values.ts';

const METADATA = /^metadata\[([^[\]]*)\]$/;

/**
 * The text fields of a form. An empty one is not given. `metadata[key]` is metadata; a name that
 * ends with `[]`, or that is repeated, is a list where a list can be sent.
 *
 * @param fields Names and values in order.
 */
export function createFormValues(fields: readonly (readonly [string, string])[]): GivenValues {
  const given = new Map<string, string[]>();
  for (const [name, value] of fields) {
    if (value === '' && !METADATA.test(name)) continue;
    const values = given.get(name);
    if (values === undefined) given.set(name, [value]);
    else values.push(value);
  }

  function one(name: string): string | null {
    const [value = null, ...others] = given.get(name) ?? [];
    if (others.every((other) => other === value)) return value;
    throw invalidValue(name, `${name} is sent more than once, with different values.`);
  }

  return {
    text: one,
    integer(name) {
      const value = one(name);
      if (value === null || /^-?\d{1,9}$/.test(value)) return value === null ? null : Number(value);
      throw invalidValue(name, `${name} must be an integer; it is ${shown(value)}.`);
    },
    boolean(name) {
      const value = one(name);
      if (value === null) return null;
      if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
      throw invalidValue(name, `${name} must be true or false; it is ${shown(value)}.`);
    },
    metadata() {
      const invalid = [...given.keys()].find((name) => isMetadata(name) && !METADATA.test(name));
      if (invalid !== undefined) {
        throw new InvalidInputError(
          invalid,
          'INVALID_VALUE',
          'Metadata must be sent as fields of the form metadata[key], each with one text.',
        );
      }
      const keys = [...given.keys()].filter(isMetadata);
      return objectOf(keys.map((name) => [METADATA.exec(name)?.[1] ?? '', one(name) ?? '']));
    },
    others(known) {
      const names = [...given.keys()].filter((name) => !known.has(name) && !isMetadata(name));
      return objectOf(
        names.map((name) => {
          const values = given.get(name) ?? [];
          const [first = ''] = values;
          return [name, name.endsWith('[]') || values.length > 1 ? values : first];
        }),
      );
    },
  };
}

const isMetadata = (name: string) => name === 'metadata' || name.startsWith('metadata[');

/** At most 64 characters of it. */
function shown(value: string): string {
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
}
