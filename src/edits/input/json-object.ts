import { checkAll, checkEach, InvalidInputError } from '../../errors.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

const MAX_KEY_CHARACTERS = 64;
const MAX_STRING_CHARACTERS = 512;
const MAX_JSON_CHARACTERS = 16_384;

/**
 * Bounds a client's JSON object before it is stored: the number of keys, their length (64), the
 * length of each string value where only scalars may stand (512), and the whole (16,384 characters
 * of JSON). NUL and lone surrogates are invalid: Postgres cannot store them in jsonb.
 * @throws InvalidInputError naming the keys and the limits; for too many keys, nothing else.
 */
export function checkJsonObject(
  field: string,
  object: JsonObject,
  limits: { maxKeys: number; scalarsOnly: boolean },
): JsonObject {
  const entries = Object.entries(object);
  if (entries.length > limits.maxKeys) {
    throw new InvalidInputError(
      field,
      'TOO_MANY',
      `${field} may have at most ${limits.maxKeys} keys; it has ${entries.length}.`,
    );
  }
  const json = JSON.stringify(object);
  checkAll({
    keys() {
      if (entries.every(([key]) => key !== '' && key.length <= MAX_KEY_CHARACTERS)) return;
      throw new InvalidInputError(
        field,
        'INVALID_VALUE',
        `Keys of ${field} must have 1 to ${MAX_KEY_CHARACTERS} characters.`,
      );
    },
    values() {
      if (!limits.scalarsOnly) return;
      checkEach(entries, ([key, value]) => checkScalar(`${field}.${key}`, value));
    },
    length() {
      if (json.length <= MAX_JSON_CHARACTERS) return;
      throw new InvalidInputError(
        field,
        'TOO_LARGE',
        `${field} may have at most ${MAX_JSON_CHARACTERS} characters as JSON; it has ${json.length}.`,
      );
    },
    text() {
      // JSON.stringify writes these as an escape, after an even number of backslashes.
      if (!/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json)) return;
      throw new InvalidInputError(
        field,
        'INVALID_VALUE',
        `${field} contains a NUL character or a lone surrogate, which cannot be stored.`,
      );
    },
  });
  return object;
}

function checkScalar(field: string, value: JsonValue): void {
  if (typeof value === 'object') {
    throw new InvalidInputError(
      field,
      'INVALID_VALUE',
      `${field} must be a string, a number or a boolean.`,
    );
  }
  if (typeof value === 'string' && value.length > MAX_STRING_CHARACTERS) {
    throw new InvalidInputError(
      field,
      'TOO_LARGE',
      `${field} may have at most ${MAX_STRING_CHARACTERS} characters; it has ${value.length}.`,
    );
  }
}
