import type { JsonObject, JsonValue } from '../../../edits/input/json-object.ts';
import { type GivenValues, invalidValue, objectOf } from './given-values.ts';

/** The members of a JSON object. Null and an empty string are not given. */
export function createJsonValues(document: JsonObject): GivenValues {
  const given = (name: string): JsonValue => {
    const value = Object.hasOwn(document, name) ? document[name] : null;
    return value === undefined || value === '' ? null : value;
  };

  return {
    text(name) {
      const value = given(name);
      if (value === null || typeof value === 'string') return value;
      throw wrongType(name, 'a string', value);
    },
    integer(name) {
      const value = given(name);
      if (value === null || (typeof value === 'number' && Number.isSafeInteger(value))) {
        return value;
      }
      throw wrongType(name, 'an integer', value);
    },
    boolean(name) {
      const value = given(name);
      if (value === null || typeof value === 'boolean') return value;
      throw wrongType(name, 'true or false', value);
    },
    metadata() {
      const value = given('metadata');
      if (value === null) return null;
      if (typeof value !== 'object' || Array.isArray(value)) {
        throw wrongType('metadata', 'an object', value);
      }
      return objectOf(Object.entries(value).filter(([, item]) => item !== null));
    },
    others(known) {
      const entries = Object.entries(document).filter(([name]) => {
        return !known.has(name) && name !== 'metadata' && given(name) !== null;
      });
      return objectOf(entries);
    },
  };
}

function wrongType(name: string, wanted: string, value: JsonValue) {
  return invalidValue(name, `${name} must be ${wanted}, not ${kindOf(value)}.`);
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
