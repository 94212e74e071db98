import type { HistoryFilter, NumberRange } from '../edits/history/history-query.ts';
import { checkJsonObject } from '../edits/input/json-object.ts';
import { MAX_METADATA_KEYS } from '../edits/input/parameters.ts';
import { checkAll, InvalidInputError } from '../errors.ts';
import { parseDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { EditSourceEnum, EditStatusEnum, ImageQuality } from './enums.ts';
import { EditErrorCodeEnum } from './errors.ts';
import { INPUT_LIMITS } from './input-limits.ts';

const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A time range that excludes its upper bound.',
  fields: (t) => ({
    from: t.field({
      type: 'DateTime',
      description: 'Inclusive lower bound; omit for no lower bound.',
    }),
    to: t.field({
      type: 'DateTime',
      description: 'Exclusive upper bound; omit for no upper bound.',
    }),
  }),
});

const IntRange = builder.inputType('IntRange', {
  description: 'A range of integers.',
  fields: (t) => ({
    min: t.int({ description: 'Inclusive lower bound; omit for no lower bound.' }),
    max: t.int({ description: 'Inclusive upper bound; omit for no upper bound.' }),
  }),
});

const DecimalRange = builder.inputType('DecimalRange', {
  description: 'A range of decimal numbers.',
  fields: (t) => ({
    min: t.field({
      type: 'Decimal',
      description: 'Inclusive lower bound; omit for no lower bound.',
    }),
    max: t.field({
      type: 'Decimal',
      description: 'Inclusive upper bound; omit for no upper bound.',
    }),
  }),
});

export const EditJobFilter = builder.inputType('EditJobFilter', {
  description: `Selects edits that match every given condition. A list matches any of its values, at most ${INPUT_LIMITS.listItems}; an empty list matches nothing. Unknown values (tokens, cost, end time) match no range.`,
  fields: (t) => ({
    status: t.field({ type: [EditStatusEnum], description: 'The status is one of these.' }),
    model: t.stringList({ description: 'The model is one of these.' }),
    size: t.field({
      type: ['ImageSize'],
      description: 'The size is one of these, as requested or as sent to the upstream.',
    }),
    quality: t.field({
      type: [ImageQuality],
      description: 'The requested quality is one of these.',
    }),
    upstream: t.stringList({
      description: 'The last upstream is one of these, by name as in `upstreams`.',
    }),
    sandbox: t.boolean({
      description: 'True: only edits made by the built-in sandbox; false: only other edits.',
    }),
    source: t.field({
      type: EditSourceEnum,
      description: 'The edit was submitted through this API.',
    }),
    createdAt: t.field({
      type: DateTimeRange,
      description: 'The edit was committed to the queue in this time range.',
    }),
    finishedAt: t.field({ type: DateTimeRange, description: 'The edit ended in this time range.' }),
    totalTokens: t.field({ type: IntRange, description: 'Total of input and output tokens.' }),
    cost: t.field({
      type: DecimalRange,
      description: 'Cost in US dollars, exact to a millionth, from the current charge.',
    }),
    errorCode: t.field({
      type: [EditErrorCodeEnum],
      description: 'The error code is one of these.',
    }),
    hasError: t.boolean({
      description: 'True: only edits with an `error`; false: only edits without.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'The metadata contains all of these keys and values, and possibly others; at most 16 keys.',
    }),
    promptId: t.id({ description: 'Global id of the Prompt that the edit used.' }),
    inputImageId: t.id({
      description: 'Global id of an Image that the edit used as an input image or mask.',
    }),
    outputImageId: t.id({
      description: 'Global id of an Image that the edit produced as an output.',
    }),
  }),
});

/** Matches no row, like an unknown id: no row has the nil UUID. */
const NOBODYS_ID = '00000000-0000-0000-0000-000000000000';

const isGiven = <Value>(value: Value | null | undefined): value is Value => value != null;

/** @throws InvalidInputError for an amount finer than a millionth, or too many metadata keys. */
export function toFilter(
  filter: typeof EditJobFilter.$inferInput | null | undefined,
): HistoryFilter {
  const { cost, promptId, inputImageId, outputImageId, ...same } = filter ?? {};
  const { costMicroUsd } = checkAll({
    costMicroUsd: () => cost && toMicroUsd(cost),
    // The limits of stored metadata apply.
    metadata: () =>
      checkJsonObject('filter.metadata', same.metadata ?? {}, {
        maxKeys: MAX_METADATA_KEYS,
        scalarsOnly: false,
      }),
  });
  return {
    ...same,
    ...(costMicroUsd && { costMicroUsd }),
    ...(isGiven(promptId) && { promptId: idOf('Prompt', promptId) ?? NOBODYS_ID }),
    ...(isGiven(inputImageId) && { inputImageId: idOf('Image', inputImageId) ?? NOBODYS_ID }),
    ...(isGiven(outputImageId) && { outputImageId: idOf('Image', outputImageId) ?? NOBODYS_ID }),
  };
}

function toMicroUsd({ min, max }: typeof DecimalRange.$inferInput): NumberRange<bigint> {
  const exact = (end: 'min' | 'max', amount: string | null | undefined) => {
    if (amount === null || amount === undefined) return null;
    const microUsd = parseDecimal(amount, USD_FRACTION_DIGITS);
    if (microUsd !== null) return microUsd;
    throw new InvalidInputError(
      `filter.cost.${end}`,
      'INVALID_VALUE',
      `filter.cost.${end} may have at most ${USD_FRACTION_DIGITS} fraction digits; it is ${amount}.`,
    );
  };
  return checkAll({ min: () => exact('min', min), max: () => exact('max', max) });
}
