import { checkEach, InvalidInputError } from '../../errors.ts';
import { PARAMETER_ROWS } from '../parameters.ts';
import { checkJsonObject, type JsonObject } from './json-object.ts';

/** Names that `extraParams` may not use: they have an argument of their own, or none on purpose. */
const RESERVED = new Set([
  ...PARAMETER_ROWS.flatMap(([, { wireName, sentWith = [] }]) => [
    wireName,
    ...sentWith.map(([name]) => name),
  ]),
  // Files cannot be sent as text.
  'image',
  'mask',
  'markup',
  'response_format',
]);

/** @throws InvalidInputError for fields that have an argument of their own or may not be set. */
export function checkExtraParams(extraParams: JsonObject | null): JsonObject | null {
  if (extraParams === null) return null;
  checkJsonObject('extraParams', extraParams, { maxKeys: 32, scalarsOnly: false });
  checkEach(Object.keys(extraParams), (name) => {
    if (/^[A-Za-z][\w.[\]-]{0,63}$/.test(name) && !RESERVED.has(baseName(name))) return;
    throw new InvalidInputError(
      `extraParams.${name.slice(0, 64)}`,
      'INVALID_VALUE',
      'This form field cannot be added: it has an argument of its own, cannot be set, or is not a valid name.',
    );
  });
  return extraParams;
}

/** As lenient servers read a field's name: `Size`, `n[]` and `image[0]` are the fields without. */
function baseName(name: string): string {
  return name.toLowerCase().replace(/[.[].*$/, '');
}
