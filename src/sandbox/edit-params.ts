import { CATALOGUE } from '../models/catalogue.ts';
import type { EditModel } from '../models/model.ts';
import { findModel } from '../models/model-entry.ts';
import { type PixelSize, sizeProblem } from '../models/sizes.ts';
import type { Form } from './form.ts';
import { ApiRefusal, invalidType, invalidValue, missingParameter } from './refusal.ts';

/** Unicode code points. */
const MAX_PROMPT_CHARACTERS = 32_000;

export const STANDARD_SIZES = ['1024x1024', '1536x1024', '1024x1536'] as const;

/** For models that nobody knows. */
const MAX_EDGE_PX = 3_840;
const MAX_AREA_PX = 3_840 * 2_160;

const OUTPUT_FORMATS = ['png', 'jpeg', 'webp'] as const;
const BACKGROUNDS = ['transparent', 'opaque', 'auto'] as const;
const QUALITIES = ['low', 'medium', 'high', 'xhigh', 'max', 'auto'] as const;
const FIDELITIES = ['low', 'high'] as const;
const COMPLEXITIES = ['low', 'medium', 'high'] as const;

/** The form's fields, validated, with the API's defaults. */
export interface EditParams {
  readonly prompt: string;
  readonly model: string;
  readonly n: number;
  readonly size: PixelSize | 'auto';
  readonly quality: (typeof QUALITIES)[number];
  readonly background: (typeof BACKGROUNDS)[number];
  readonly outputFormat: (typeof OUTPUT_FORMATS)[number];
  /** 0-100. */
  readonly outputCompression: number;
  readonly inputFidelity: (typeof FIDELITIES)[number];
  readonly stream: boolean;
  /** 0-3, and 0 unless `stream`. */
  readonly partialImages: number;
}

/**
 * Unknown fields pass, because the sandbox stands in for any compatible server, and for models
 * newer than itself.
 * @throws ApiRefusal naming the first field that violates a documented rule.
 */
export function parseParams(form: Form): EditParams {
  const given = new Map<string, string>();
  for (const [name, value] of form.fields) {
    if (given.has(name) && !name.endsWith(']')) throw duplicate(name);
    given.set(name, value);
  }
  if (given.has('response_format')) {
    throw new ApiRefusal("Unknown parameter: 'response_format'.", {
      param: 'response_format',
      code: 'unknown_parameter',
    });
  }

  const prompt = given.get('prompt');
  if (prompt === undefined || prompt === '') throw missingParameter('prompt');
  const characters = [...prompt].length;
  if (characters > MAX_PROMPT_CHARACTERS) {
    throw new ApiRefusal(
      `Invalid 'prompt': string too long. Expected a string with maximum length ` +
        `${MAX_PROMPT_CHARACTERS}, but got a string with length ${characters} instead.`,
      { param: 'prompt', code: 'string_above_max_length' },
    );
  }

  const model = given.get('model') ?? 'gpt-image-1';
  const known = findModel(CATALOGUE, model);
  const params: EditParams = {
    prompt,
    model,
    n: integer(given, 'n', 1, 10, 1),
    size: parseSize(given.get('size') ?? 'auto', known),
    quality: accepted(given, 'quality', QUALITIES, 'auto', known?.qualities),
    background: accepted(given, 'background', BACKGROUNDS, 'auto', known?.backgrounds),
    outputFormat: accepted(given, 'output_format', OUTPUT_FORMATS, 'png', known?.outputFormats),
    outputCompression: integer(given, 'output_compression', 0, 100, 100),
    inputFidelity: accepted(given, 'input_fidelity', FIDELITIES, 'low', known?.inputFidelities),
    stream: oneOf(given, 'stream', ['true', 'false'], 'false') === 'true',
    partialImages: integer(given, 'partial_images', 0, 3, 0),
  };
  oneOf(given, 'moderation', ['low', 'auto'], 'auto');
  accepted(given, 'complexity', COMPLEXITIES, 'high', known?.complexities);
  checkCombinations(params);
  return params;
}

/** @param ofModel The values that the model accepts. None: not the parameter. Null: not known. */
function accepted<T extends string>(
  given: ReadonlyMap<string, string>,
  param: string,
  supported: readonly T[],
  fallback: T,
  ofModel: readonly string[] | null = null,
): T {
  if (ofModel?.length === 0 && given.has(param)) throw unsupported(param, given.get('model') ?? '');
  const both = supported.filter((value) => ofModel === null || ofModel.includes(value));
  return oneOf(given, param, both, fallback);
}

function checkCombinations(params: EditParams): void {
  if (params.background === 'transparent' && params.outputFormat === 'jpeg') {
    throw new ApiRefusal('Transparent background is not supported for JPEG output format.', {
      param: 'background',
      code: 'invalid_value',
    });
  }
  if (params.outputFormat === 'png' && params.outputCompression < 100) {
    throw new ApiRefusal('Compression less than 100 is not supported for PNG output format.', {
      param: 'output_compression',
      code: 'invalid_png_output_compression',
    });
  }
  if (params.partialImages > 0 && !params.stream) {
    throw new ApiRefusal("'partial_images' is only supported when 'stream' is true.", {
      param: 'partial_images',
      code: 'invalid_value',
    });
  }
}

function parseSize(value: string, known: EditModel | null): PixelSize | 'auto' {
  if (value === 'auto') return 'auto';
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(value);
  const supported = [...STANDARD_SIZES, 'auto'];
  if (match === null) throw invalidValue('size', value, supported);
  const size = { width: Number(match[1]), height: Number(match[2]) };
  const sizes = known?.sizes ?? null;
  if (sizes?.kind === 'listed' && sizeProblem(sizes, size) !== null) {
    throw invalidValue('size', value, [...sizes.sizes, 'auto']);
  }
  const isDrawn =
    Math.min(size.width, size.height) >= 16 &&
    Math.max(size.width, size.height) <= MAX_EDGE_PX &&
    size.width * size.height <= MAX_AREA_PX;
  if (isDrawn && (sizes === null || sizeProblem(sizes, size) === null)) return size;
  throw new ApiRefusal(
    `Invalid size '${value}'. Width and height must be divisible by 16, no edge over ` +
      `${MAX_EDGE_PX}, the ratio between 1:3 and 3:1, and the area within the limits of the model.`,
    { param: 'size', code: 'invalid_value' },
  );
}

function oneOf<T extends string>(
  given: ReadonlyMap<string, string>,
  param: string,
  supported: readonly T[],
  fallback: T,
): T {
  const value = given.get(param);
  if (value === undefined) return fallback;
  const found = supported.find((one) => one === value);
  if (found === undefined) throw invalidValue(param, value, supported);
  return found;
}

function integer(
  given: ReadonlyMap<string, string>,
  param: string,
  min: number,
  max: number,
  fallback: number,
): number {
  const text = given.get(param);
  if (text === undefined) return fallback;
  if (!/^-?\d{1,9}$/.test(text)) throw invalidType(param, 'an integer');
  const value = Number(text);
  if (value >= min && value <= max) return value;
  const [which, sign, limit, code] =
    value > max
      ? (['above maximum', '<=', max, 'integer_above_max_value'] as const)
      : (['below minimum', '>=', min, 'integer_below_min_value'] as const);
  throw new ApiRefusal(
    `Invalid '${param}': integer ${which} value. Expected a value ${sign} ${limit}, ` +
      `but got ${value} instead.`,
    { param, code },
  );
}

function unsupported(param: string, model: string): ApiRefusal {
  return new ApiRefusal(`The parameter '${param}' is not supported with the model '${model}'.`, {
    param,
    code: 'unsupported_parameter',
  });
}

function duplicate(param: string): ApiRefusal {
  return new ApiRefusal(
    `Duplicate parameter: '${param}'. You provided multiple values for this parameter, ` +
      'whereas only one is allowed.',
    { param, code: 'duplicate_parameter' },
  );
}
