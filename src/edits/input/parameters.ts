import { InvalidInputError } from '../../errors.ts';
import type { EditModel } from '../../models/model.ts';
import type { Models } from '../../models/models.ts';
import { parseSize, sizeProblem } from '../../models/sizes.ts';
import { checkExtraParams } from './extra-params.ts';
import { checkJsonObject, type JsonObject } from './json-object.ts';

/** What a client asks for, beside its pictures; words in the edits API's spelling. */
export interface EditParamsInput {
  readonly prompt: string;
  readonly model?: string | null;
  readonly size?: string | null;
  readonly n?: number | null;
  readonly quality?: string | null;
  readonly background?: string | null;
  readonly outputFormat?: string | null;
  readonly outputCompression?: number | null;
  readonly inputFidelity?: string | null;
  readonly moderation?: string | null;
  readonly partialImages?: number | null;
  readonly extraParams?: JsonObject | null;
  readonly metadata?: JsonObject | null;
}

/** Checked parameters: what is null was not given, and is not sent. */
export interface EditParams {
  readonly prompt: string;
  readonly model: string;
  /** As asked for: `auto`, `source` or `1024x1024`. */
  readonly size: string;
  readonly n: number;
  readonly quality: string | null;
  readonly background: string | null;
  readonly outputFormat: string | null;
  readonly outputCompression: number | null;
  readonly inputFidelity: string | null;
  readonly moderation: string | null;
  /** 1 to 3 turn streaming on. */
  readonly partialImages: number | null;
  readonly extraParams: JsonObject | null;
  readonly metadata: JsonObject;
}

const DEFAULT_SIZE = '1024x1024';
/** What the edits API takes for an absent `n`. */
export const DEFAULT_N = 1;
export const MAX_METADATA_KEYS = 16;

/**
 * Checks everything that can be checked without the pictures, so that a mistake costs no upload.
 * @throws InvalidInputError naming the field and the limit.
 */
export function checkEditParams(input: EditParamsInput, models: Models): EditParams {
  const model = checkModel(input.model ?? models.default, models);
  const background = oneOf('background', input.background, model.backgrounds, model);
  const outputFormat = oneOf('outputFormat', input.outputFormat, model.outputFormats, model);
  if (background === 'transparent' && outputFormat === 'jpeg') {
    throw new InvalidInputError(
      'background',
      'UNSUPPORTED_VALUE',
      'A transparent background needs outputFormat PNG or WEBP: JPEG has no transparency.',
    );
  }
  const outputCompression = integer('outputCompression', input.outputCompression, 0, 100);
  if (outputCompression !== null && outputFormat !== 'jpeg' && outputFormat !== 'webp') {
    throw new InvalidInputError(
      'outputCompression',
      'UNSUPPORTED_VALUE',
      'outputCompression needs outputFormat JPEG or WEBP.',
    );
  }
  return {
    prompt: checkPrompt(input.prompt, model),
    model: model.id,
    size: checkSize(input.size ?? DEFAULT_SIZE, model),
    n: integer('n', input.n, 1, model.maxN) ?? DEFAULT_N,
    quality: oneOf('quality', input.quality, model.qualities, model),
    background,
    outputFormat,
    outputCompression,
    inputFidelity: oneOf('inputFidelity', input.inputFidelity, model.inputFidelities, model),
    moderation: input.moderation ?? null,
    partialImages: checkPartialImages(input.partialImages, model),
    extraParams: checkExtraParams(input.extraParams ?? null, model),
    metadata: checkJsonObject('metadata', input.metadata ?? {}, {
      maxKeys: MAX_METADATA_KEYS,
      scalarsOnly: true,
    }),
  };
}

function checkModel(id: string, models: Models): EditModel {
  if (!/^[\w.:/-]{1,100}$/.test(id)) {
    throw new InvalidInputError(
      'model',
      'INVALID_VALUE',
      'A model’s name has 1 to 100 letters, digits, dots, colons, slashes, dashes or underscores.',
    );
  }
  if (!models.isAllowed(id)) {
    throw new InvalidInputError(
      'model',
      'UNSUPPORTED_VALUE',
      `Model ${JSON.stringify(id)} is not allowed here; use one of ${models.allowed?.join(', ')}.`,
    );
  }
  return models.get(id);
}

function checkPrompt(prompt: string, model: EditModel): string {
  if (prompt.trim() === '') {
    throw new InvalidInputError('prompt', 'REQUIRED', 'The prompt is empty: say what to change.');
  }
  const max = model.maxPromptCharacters;
  // Characters are code points. A string has at most two UTF-16 units for each.
  if (prompt.length > max * 2 || [...prompt].length > max) {
    throw new InvalidInputError(
      'prompt',
      'TOO_LARGE',
      `The prompt may have at most ${max.toLocaleString('en')} characters.`,
    );
  }
  if (prompt.includes('\0') || !prompt.isWellFormed()) {
    throw new InvalidInputError(
      'prompt',
      'INVALID_VALUE',
      'The prompt holds a NUL character or half of a surrogate pair, which is no text.',
    );
  }
  return prompt;
}

function checkSize(size: string, model: EditModel): string {
  if (size === 'source') return size;
  if (size === 'auto') {
    if (model.autoSize) return size;
    throw new InvalidInputError(
      'size',
      'UNSUPPORTED_VALUE',
      `${model.id} does not accept "auto": give WIDTHxHEIGHT or "source".`,
    );
  }
  const dimensions = parseSize(size);
  if (dimensions === null) {
    throw new InvalidInputError(
      'size',
      'INVALID_VALUE',
      `size is "auto", "source" or WIDTHxHEIGHT in pixels, such as ${DEFAULT_SIZE}.`,
    );
  }
  const problem = model.sizes === null ? null : sizeProblem(model.sizes, dimensions);
  if (problem !== null) {
    throw new InvalidInputError(
      'size',
      'UNSUPPORTED_VALUE',
      `${model.id} ${problem}${model.autoSize ? ', "auto"' : ''} or "source"; not ${size}.`,
    );
  }
  return size;
}

function oneOf(
  field: string,
  value: string | null | undefined,
  allowed: readonly string[] | null,
  model: EditModel,
): string | null {
  if (value === null || value === undefined) return null;
  if (allowed !== null && !allowed.includes(value)) {
    throw new InvalidInputError(
      field,
      'UNSUPPORTED_VALUE',
      allowed.length === 0
        ? `${model.id} does not accept ${field}: leave it out.`
        : `${model.id} accepts ${field} ${allowed.join(', ')}; not ${value}.`,
    );
  }
  return value;
}

function integer(
  field: string,
  value: number | null | undefined,
  min: number,
  max: number,
): number | null {
  if (value === null || value === undefined) return null;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidInputError(
      field,
      value < min ? 'TOO_SMALL' : 'TOO_LARGE',
      `${field} is a whole number from ${min} to ${max}; not ${value}.`,
    );
  }
  return value;
}

/** None at all is the same as not asked for. */
function checkPartialImages(value: number | null | undefined, model: EditModel): number | null {
  return integer('partialImages', value, 0, model.maxPartialImages) || null;
}
