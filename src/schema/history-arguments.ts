import { coerceInputValue, type GraphQLError, type GraphQLInputType, isInputType } from 'graphql';
import type { HistoryFilter, HistoryQuery } from '../edits/history/history-query.ts';
import { checkSearch } from '../edits/history/prompt-search.ts';
import { checkAll, checkEach, InvalidInputError, joinProblems } from '../errors.ts';
import { idOf } from '../public-ids/global-id.ts';
import { type EditJobFilter, toFilter } from './edit-job-filter.ts';
import { schema } from './index.ts';
import { findInputExcess } from './input-limits.ts';

/** Most problems of one argument that are reported. */
const MAX_PROBLEMS = 100;

/** The filter fields that hold a global id, with the type of the id. */
const GLOBAL_IDS = { promptId: 'Prompt', inputImageId: 'Image', outputImageId: 'Image' } as const;

/**
 * The arguments of `editJobs` from a URL, with objects as JSON. The input types of the schema validate
 * them.
 * @throws InvalidInputError naming the field.
 */
export function readHistoryArguments(given: {
  filter: string | null;
  search: string | null;
  orderBy: string | null;
}): HistoryQuery {
  const { filter, order } = checkAll({
    filter: () => readFilter(given.filter),
    search: () => checkSearch(given.search),
    order: () => coerce<HistoryQuery['order']>('orderBy', 'EditJobOrder', given.orderBy),
  });
  return { filter, search: given.search, order };
}

function readFilter(json: string | null): HistoryFilter {
  const filter = coerce<typeof EditJobFilter.$inferInput>('filter', 'EditJobFilter', json);
  const { checked } = checkAll({
    checked: () => toFilter(filter),
    ids: () => filter && checkIds(filter),
  });
  return checked;
}

function coerce<Value>(name: string, typename: string, json: string | null): Value | undefined {
  if (json === null) return undefined;
  const errors: InvalidInputError[] = [];
  const onError = (path: readonly (string | number)[], _: unknown, error: GraphQLError) => {
    if (errors.length < MAX_PROBLEMS) {
      errors.push(invalid([name, ...path].join('.'), error.message));
    }
  };
  const type = inputType(typename);
  const value = parseJson(name, json);
  const excess = findInputExcess(type, value, name);
  if (excess !== null) throw new InvalidInputError(excess.path, 'TOO_LARGE', excess.message);
  const coerced = coerceInputValue(value, type, onError) as Value;
  const joined = joinProblems(errors);
  if (joined !== null) throw joined;
  return coerced;
}

/** An export rejects a malformed id; a query with it would match nothing. */
function checkIds(filter: Record<string, unknown>): void {
  checkEach(Object.entries(GLOBAL_IDS), ([field, typename]) => {
    const given = filter[field];
    if (typeof given !== 'string' || idOf(typename, given) !== null) return;
    throw invalid(`filter.${field}`, `It must be the global id of an ${typename}.`);
  });
}

function parseJson(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw invalid(name, 'It must be JSON.');
  }
}

function inputType(name: string): GraphQLInputType {
  const type = schema.getType(name);
  if (!isInputType(type)) throw new Error(`the schema has no input ${name}`);
  return type;
}

function invalid(field: string, why: string): InvalidInputError {
  return new InvalidInputError(field, 'INVALID_VALUE', `${field} is invalid: ${why}`);
}
