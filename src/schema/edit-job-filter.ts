import { MAX_METADATA_KEYS } from '../edits/edit-params.ts';
import type { HistoryFilter, NumberRange } from '../edits/history/history-query.ts';
import { checkJsonObject } from '../edits/json-object.ts';
import { InvalidInputError } from '../errors.ts';
import { parseDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { builder } from './builder.ts';
import { EditStatusEnum, ImageQuality } from './enums.ts';
import { EditErrorCodeEnum } from './errors.ts';
import { idOf } from './global-id.ts';

const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A span of time.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Inclusive; absent: since ever.' }),
    to: t.field({ type: 'DateTime', description: 'Exclusive; absent: until ever.' }),
  }),
});

const IntRange = builder.inputType('IntRange', {
  description: 'Whole numbers from one to another.',
  fields: (t) => ({
    min: t.int({ description: 'Inclusive; absent: any.' }),
    max: t.int({ description: 'Inclusive; absent: any.' }),
  }),
});

const DecimalRange = builder.inputType('DecimalRange', {
  description: 'Decimal numbers from one to another.',
  fields: (t) => ({
    min: t.field({ type: 'Decimal', description: 'Inclusive; absent: any.' }),
    max: t.field({ type: 'Decimal', description: 'Inclusive; absent: any.' }),
  }),
});

export const EditJobFilter = builder.inputType('EditJobFilter', {
  description:
    'All that is given must hold; an empty list matches nothing. What is unknown (tokens, cost, an end) lies in no range.',
  fields: (t) => ({
    status: t.field({ type: [EditStatusEnum], description: 'One of these.' }),
    model: t.stringList({ description: 'One of these.' }),
    size: t.field({
      type: ['ImageSize'],
      description: 'One of these, as asked for or as sent to the edits API.',
    }),
    quality: t.field({ type: [ImageQuality], description: 'One of these, as asked for.' }),
    upstream: t.stringList({
      description: 'Last sent to one of these edits APIs, by their names in `upstreams`.',
    }),
    sandbox: t.boolean({ description: 'Made by the built-in sandbox, or not.' }),
    createdAt: t.field({
      type: DateTimeRange,
      description: 'Committed to the queue in this span.',
    }),
    finishedAt: t.field({ type: DateTimeRange, description: 'Became final in this span.' }),
    totalTokens: t.field({ type: IntRange, description: 'Input and output tokens together.' }),
    cost: t.field({
      type: DecimalRange,
      description: 'US dollars, exact to a millionth, by the charge that holds.',
    }),
    errorCode: t.field({ type: [EditErrorCodeEnum], description: 'One of these.' }),
    hasError: t.boolean({ description: 'With an `error`, or without.' }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Has these keys with these values, and any others beside them; at most 16 keys.',
    }),
    promptId: t.id({ description: 'Has this Prompt.' }),
    inputImageId: t.id({ description: 'Edited this Image, or had it as its mask.' }),
    outputImageId: t.id({ description: 'This Image came of it.' }),
  }),
});

/** Matches nothing, as an id does that does not exist: no row has the nil UUID. */
const NOBODYS_ID = '00000000-0000-0000-0000-000000000000';

const isGiven = <Value>(value: Value | null | undefined): value is Value => value != null;

/** @throws InvalidInputError for an amount that is finer than a millionth, or too much metadata. */
export function toFilter(
  filter: typeof EditJobFilter.$inferInput | null | undefined,
): HistoryFilter {
  const { cost, promptId, inputImageId, outputImageId, ...same } = filter ?? {};
  // What no edit can have is not looked for either.
  checkJsonObject('filter.metadata', same.metadata ?? {}, {
    maxKeys: MAX_METADATA_KEYS,
    scalarsOnly: false,
  });
  return {
    ...same,
    ...(cost && { costMicroUsd: toMicroUsd(cost) }),
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
  return { min: exact('min', min), max: exact('max', max) };
}
