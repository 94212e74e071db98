import type { JsonObject } from '../../../edits/input/json-object.ts';
import { InvalidInputError } from '../../../errors.ts';

/** The values of a request beside its images, by the names of the edits API. Null: not given. */
export interface GivenValues {
  /** @throws InvalidInputError naming the field, as every method here. */
  text(name: string): string | null;
  integer(name: string): number | null;
  boolean(name: string): boolean | null;
  metadata(): JsonObject | null;
  /** What no other name is for, as `extraParams`. */
  others(known: ReadonlySet<string>): JsonObject | null;
}

export function invalidValue(field: string, message: string): InvalidInputError {
  return new InvalidInputError(field, 'INVALID_VALUE', message);
}

/** An object of any keys, `__proto__` included; null if it has none. */
export function objectOf(entries: Iterable<readonly [string, JsonObject[string]]>) {
  const object: JsonObject = Object.fromEntries(entries);
  return Object.keys(object).length === 0 ? null : object;
}
