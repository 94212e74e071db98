import { coerceInputValue, type GraphQLError, type GraphQLInputType, isInputType } from 'graphql';
import type { HistoryQuery } from '../edits/history/history-query.ts';
import { InvalidInputError } from '../errors.ts';
import { idOf } from '../public-ids/global-id.ts';
import { type EditJobFilter, toFilter } from './edit-job-filter.ts';
import { schema } from './index.ts';
import { findInputExcess } from './input-limits.ts';

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
  const filter = coerce<typeof EditJobFilter.$inferInput>('filter', 'EditJobFilter', given.filter);
  if (filter) checkIds(filter);
  const order = coerce<HistoryQuery['order']>('orderBy', 'EditJobOrder', given.orderBy);
  return {
    filter: toFilter(filter),
    search: given.search,
    order,
  };
}

function coerce<Value>(name: string, typename: string, json: string | null): Value | undefined {
  if (json === null) return undefined;
  const onError = (path: readonly (string | number)[], _: unknown, error: GraphQLError) => {
    throw invalid([name, ...path].join('.'), error.message);
  };
  const type = inputType(typename);
  const value = parseJson(name, json);
  const excess = findInputExcess(type, value, name);
  if (excess !== null) throw new InvalidInputError(excess.path, 'TOO_LARGE', excess.message);
  return coerceInputValue(value, type, onError) as Value;
}

/** An export rejects a malformed id; a query with it would match nothing. */
function checkIds(filter: Record<string, unknown>): void {
  for (const [field, typename] of Object.entries(GLOBAL_IDS)) {
    const given = filter[field];
    if (typeof given !== 'string' || idOf(typename, given) !== null) continue;
    throw invalid(`filter.${field}`, `It must be the global id of an ${typename}.`);
  }
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
  return new InvalidInputError(field, 'INVALID_VALUE', `${field} is not valid: ${why}`);
}
