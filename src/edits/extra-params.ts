import { InvalidInputError } from '../errors.ts';
import { checkJsonObject, type JsonObject } from './json-object.ts';

/** Names that `extraParams` may not use: they have an argument of their own, or none on purpose. */
const OWN_FIELDS = new Set([
  'image',
  'image[]',
  'mask',
  'prompt',
  'model',
  'size',
  'n',
  'quality',
  'background',
  'output_format',
  'output_compression',
  'input_fidelity',
  'moderation',
  'stream',
  'partial_images',
  'response_format',
]);

/** @throws InvalidInputError for a field that has an argument of its own, or may not be set. */
export function checkExtraParams(extraParams: JsonObject | null): JsonObject | null {
  if (extraParams === null) return null;
  checkJsonObject('extraParams', extraParams, { maxKeys: 32, scalarsOnly: false });
  for (const name of Object.keys(extraParams)) {
    if (!/^[A-Za-z][\w.[\]-]{0,63}$/.test(name) || OWN_FIELDS.has(name)) {
      throw new InvalidInputError(
        `extraParams.${name.slice(0, 64)}`,
        'INVALID_VALUE',
        'Not a form field that can be added: it has an argument of its own, cannot be set here, or is not a name.',
      );
    }
  }
  return extraParams;
}
