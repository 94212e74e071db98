import { coerceInputValue, type GraphQLError, type GraphQLInputType, isInputType } from 'graphql';
import type { HistoryQuery } from '../edits/history/history-query.ts';
import { InvalidInputError } from '../errors.ts';
import { type EditJobFilter, toFilter } from './edit-job-filter.ts';
import { parseGlobalId } from './global-id.ts';
import { schema } from './index.ts';

/** The fields of a filter that name something by its global id, and what. */
const GLOBAL_IDS = { promptId: 'Prompt', inputImageId: 'Image', outputImageId: 'Image' } as const;

/**
 * The arguments of `editJobs` as they come by a URL: objects as JSON. They are checked by the schema's
 * own input types.
 * @throws InvalidInputError naming the field.
 */
export function readHistoryArguments(given: {
  filter: string | null;
  search: string | null;
  orderBy: string | null;
}): HistoryQuery {
  const filter = coerce<Record<string, unknown>>('filter', 'EditJobFilter', given.filter);
  const order = coerce<HistoryQuery['order']>('orderBy', 'EditJobOrder', given.orderBy);
  return {
    filter: toFilter(filter && (withIds(filter) as typeof EditJobFilter.$inferInput)),
    search: given.search,
    order,
  };
}

function coerce<Value>(name: string, typename: string, json: string | null): Value | undefined {
  if (json === null) return undefined;
  const onError = (path: readonly (string | number)[], _: unknown, error: GraphQLError) => {
    throw invalid([name, ...path].join('.'), error.message);
  };
  return coerceInputValue(parseJson(name, json), inputType(typename), onError) as Value;
}

/** What the schema does when it resolves: the ids of a filter are still as they were given. */
function withIds(filter: Record<string, unknown>): Record<string, unknown> {
  const ids = Object.entries(GLOBAL_IDS).flatMap(([field, typename]) => {
    const given = filter[field];
    if (typeof given !== 'string') return [];
    const id = parseGlobalId(given);
    if (id?.typename === typename) return [[field, id]];
    throw invalid(`filter.${field}`, `It must be the global id of an ${typename}.`);
  });
  return { ...filter, ...Object.fromEntries(ids) };
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
  return new InvalidInputError(field, 'INVALID_VALUE', `${field} cannot be taken: ${why}`);
}
