import { InvalidInputError } from '../../errors.ts';

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
 * of JSON). NUL and lone surrogates are refused: Postgres cannot store them in jsonb.
 * @throws InvalidInputError naming the key and the limit.
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
  for (const [key, value] of entries) {
    if (key === '' || key.length > MAX_KEY_CHARACTERS) {
      throw new InvalidInputError(
        field,
        'INVALID_VALUE',
        `A key of ${field} has 1 to ${MAX_KEY_CHARACTERS} characters.`,
      );
    }
    if (limits.scalarsOnly) checkScalar(`${field}.${key}`, value);
  }
  const json = JSON.stringify(object);
  if (json.length > MAX_JSON_CHARACTERS) {
    throw new InvalidInputError(
      field,
      'TOO_LARGE',
      `${field} may have at most ${MAX_JSON_CHARACTERS} characters as JSON; it has ${json.length}.`,
    );
  }
  // JSON.stringify writes what is refused here as an escape, after an even number of backslashes.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json)) {
    throw new InvalidInputError(
      field,
      'INVALID_VALUE',
      `${field} holds a NUL character or half of a surrogate pair, which is no text.`,
    );
  }
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
