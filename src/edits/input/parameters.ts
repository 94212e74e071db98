import { checkAll, InvalidInputError } from '../../errors.ts';
import { type EditModel, isModelName } from '../../models/model.ts';
import { unknownModel } from '../../models/model-entry.ts';
import type { Models } from '../../models/models.ts';
import { parseSize, sizeProblem } from '../../models/sizes.ts';
import {
  PARAMETER_ROWS,
  PARAMETERS,
  type Parameter,
  type ParameterName,
  type ParameterValue,
} from '../parameters.ts';
import { checkExtraParams } from './extra-params.ts';
import { checkJsonObject, type JsonObject } from './json-object.ts';

type GivenParameters = {
  readonly [Name in Exclude<ParameterName, 'prompt'>]?: ParameterValue<Name> | null;
};

/** What a client requests besides its images; enum values in the edits API's spelling. */
export interface EditParamsInput extends GivenParameters {
  readonly prompt: string;
  readonly extraParams?: JsonObject | null;
  readonly metadata?: JsonObject | null;
}

type CheckedParameters = {
  readonly [Name in ParameterName]: (typeof PARAMETERS)[Name] extends { isAlwaysSet: true }
    ? ParameterValue<Name>
    : ParameterValue<Name> | null;
};

/** Checked parameters. Null: not given, and not sent. `size` is as requested, such as `source`. */
export interface EditParams extends CheckedParameters {
  readonly extraParams: JsonObject | null;
  readonly metadata: JsonObject;
}

export const MAX_METADATA_KEYS = 16;

/**
 * Checks everything that can be checked without the images, so that a mistake costs no upload. If
 * the model is invalid, the limits of all models apply.
 * @throws InvalidInputError naming the fields and the limits.
 */
export function checkEditParams(input: EditParamsInput, models: Models): EditParams {
  const given = { ...input, model: input.model ?? models.default };
  const model = modelLimits(given, models);
  const { checked, ...json } = checkAll({
    checked: () =>
      checkAll(
        Object.fromEntries(
          PARAMETER_ROWS.map(([name, row]) => [
            name,
            () => {
              const invalid = name === 'model' ? modelProblem(given.model, models) : null;
              if (invalid !== null) throw invalid;
              return checkParameter(name, row, given, model);
            },
          ]),
        ),
      ),
    extraParams: () => checkExtraParams(input.extraParams ?? null),
    metadata: () =>
      checkJsonObject('metadata', input.metadata ?? {}, {
        maxKeys: MAX_METADATA_KEYS,
        scalarsOnly: true,
      }),
  });
  return { ...(checked as CheckedParameters), ...json };
}

/** The limits of the input's model; of all models if it is invalid. */
export function modelLimits({ model }: Pick<EditParamsInput, 'model'>, models: Models): EditModel {
  const id = model ?? models.default;
  return modelProblem(id, models) === null ? models.get(id) : unknownModel('', {});
}

function checkParameter(
  name: ParameterName,
  row: Parameter,
  given: EditParamsInput,
  model: EditModel,
): string | number | null {
  const value = given[name] ?? row.default ?? null;
  if (value === null) return null;
  const checked = checkValue(name, row, value, model);
  const conflict = row.conflict?.({ ...given }) ?? null;
  if (conflict !== null) throw new InvalidInputError(name, 'UNSUPPORTED_VALUE', conflict);
  return checked;
}

function checkValue(
  name: ParameterName,
  row: Parameter,
  value: string | number,
  model: EditModel,
): string | number | null {
  if (row.type === 'integer') {
    const max = typeof row.max === 'number' ? row.max : model[row.max];
    checkInteger(name, Number(value), row.min, max);
    return row.isZeroOmitted && value === 0 ? null : value;
  }
  if (row.type === 'enum') checkEnum(name, row, String(value), model);
  else if (name === 'prompt') checkPrompt(String(value), model);
  else if (name === 'size') checkSize(String(value), model);
  return value;
}

function modelProblem(id: string, models: Models): InvalidInputError | null {
  if (!isModelName(id)) {
    return new InvalidInputError(
      'model',
      'INVALID_VALUE',
      'model must have 1 to 100 letters, digits, dots, colons, slashes, hyphens or underscores.',
    );
  }
  if (models.isAllowed(id)) return null;
  return new InvalidInputError(
    'model',
    'UNSUPPORTED_VALUE',
    `Model ${JSON.stringify(id)} is not allowed; use one of ${models.allowed?.join(', ')}.`,
  );
}

function checkPrompt(prompt: string, model: EditModel): void {
  if (prompt.trim() === '') {
    throw new InvalidInputError('prompt', 'REQUIRED', 'prompt must not be empty.');
  }
  const max = model.maxPromptCharacters;
  // Characters are code points. A string has at most two UTF-16 units for each.
  if (prompt.length > max * 2 || [...prompt].length > max) {
    throw new InvalidInputError(
      'prompt',
      'TOO_LARGE',
      `prompt may have at most ${max.toLocaleString('en')} characters.`,
    );
  }
  if (prompt.includes('\0') || !prompt.isWellFormed()) {
    throw new InvalidInputError(
      'prompt',
      'INVALID_VALUE',
      'prompt contains a NUL character or a lone surrogate, which cannot be stored.',
    );
  }
}

function checkSize(size: string, model: EditModel): void {
  if (size === 'source') return;
  if (size === 'auto') {
    if (model.autoSize) return;
    throw new InvalidInputError(
      'size',
      'UNSUPPORTED_VALUE',
      `${model.id} does not accept the size "auto"; use WIDTHxHEIGHT or "source".`,
    );
  }
  const dimensions = parseSize(size);
  if (dimensions === null) {
    throw new InvalidInputError(
      'size',
      'INVALID_VALUE',
      `size must be "auto", "source" or WIDTHxHEIGHT in pixels, such as ${PARAMETERS.size.default}.`,
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
}

function checkEnum(
  name: string,
  { limit }: Extract<Parameter, { type: 'enum' }>,
  value: string,
  model: EditModel,
): void {
  const accepted = limit === undefined ? null : model[limit];
  if (accepted === null || accepted.includes(value)) return;
  throw new InvalidInputError(
    name,
    'UNSUPPORTED_VALUE',
    accepted.length === 0
      ? `${model.id} does not accept ${name}; omit it.`
      : `${model.id} accepts ${name} ${accepted.join(', ')}; not ${value}.`,
  );
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InvalidInputError(
    name,
    value < min ? 'TOO_SMALL' : 'TOO_LARGE',
    `${name} must be an integer from ${min} to ${max}; it is ${value}.`,
  );
}
