import { InvalidInputError } from '../../errors.ts';
import type { EditModel } from '../../models/model.ts';
import { checkJsonObject, type JsonObject } from './json-object.ts';

/** Names that `extraParams` may not use: they have an argument of their own, or none on purpose. */
const OWN_FIELDS = new Set([
  'image',
  'mask',
  // A file: it cannot be sent as text.
  'markup',
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

/**
 * @throws InvalidInputError for a field that has an argument of its own, may not be set, or that the
 * model does not accept.
 */
export function checkExtraParams(
  extraParams: JsonObject | null,
  model: EditModel,
): JsonObject | null {
  if (extraParams === null) return null;
  checkJsonObject('extraParams', extraParams, { maxKeys: 32, scalarsOnly: false });
  for (const [name, value] of Object.entries(extraParams)) {
    if (!/^[A-Za-z][\w.[\]-]{0,63}$/.test(name) || OWN_FIELDS.has(baseName(name))) {
      throw new InvalidInputError(
        `extraParams.${name.slice(0, 64)}`,
        'INVALID_VALUE',
        'Not a form field that can be added: it has an argument of its own, cannot be set here, or is not a name.',
      );
    }
    if (baseName(name) === 'complexity') checkComplexity(name, value, model);
  }
  return extraParams;
}

/** As lenient servers read a field's name: `Size`, `n[]` and `image[0]` are the fields without. */
function baseName(name: string): string {
  return name.toLowerCase().replace(/[.[].*$/, '');
}

function checkComplexity(name: string, value: unknown, { id, complexities }: EditModel): void {
  if (complexities === null) return;
  if (name === 'complexity' && typeof value === 'string' && complexities.includes(value)) return;
  throw new InvalidInputError(
    `extraParams.${name}`,
    'UNSUPPORTED_VALUE',
    complexities.length === 0
      ? `${id} does not accept complexity: leave it out.`
      : `${id} accepts complexity ${complexities.join(', ')}.`,
  );
}
