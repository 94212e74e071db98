import type { GraphQLError } from 'graphql';
import { createGraphQLError } from 'graphql-yoga';

/** Far longer than any path into real variables, and short enough to take apart at once. */
const MAX_PATH_LENGTH = 1_000;

/**
 * Checks the `operations` field of a GraphQL multipart request
 * (https://github.com/jaydenseric/graphql-multipart-request-spec): one operation, as JSON.
 * @throws GraphQLError, 400.
 */
export function checkOperations(json: string): Record<string, unknown> {
  const operations = parseJson(json, 'operations');
  if (Array.isArray(operations)) {
    throw badUpload("The multipart field 'operations' is a list: batches are not accepted.");
  }
  if (!isObject(operations)) {
    throw badUpload("The multipart field 'operations' must be a JSON object.");
  }
  return operations;
}

/**
 * Checks the `map` field before a file is put anywhere: each file has exactly one path, which leads
 * through `variables` to a null that is there already. So no path can reach the query, a prototype,
 * or a list index that would make the list grow.
 * @throws GraphQLError, 400; 413 for more than `maxFiles` files.
 */
export function checkMap(
  json: string,
  { operations, maxFiles }: { operations: Record<string, unknown>; maxFiles: number },
): void {
  const map = parseJson(json, 'map');
  if (!isObject(map)) throw badUpload("The multipart field 'map' must be a JSON object.");
  const entries = Object.entries(map);
  if (entries.length > maxFiles) {
    throw badUpload(
      `The request has ${entries.length} files; at most ${maxFiles} are accepted.`,
      413,
    );
  }
  const taken = new Set<string>();
  for (const [name, paths] of entries) {
    const path = onlyPath(name, paths);
    if (taken.has(path)) throw badUpload(`Two files of 'map' have the path ${show(path)}.`);
    taken.add(path);
    if (!leadsToNull(operations, path)) {
      throw badUpload(
        `The path ${show(path)} of file ${show(name)} in 'map' must lead to a null in 'variables'.`,
      );
    }
  }
}

function onlyPath(name: string, paths: unknown): string {
  const isList = Array.isArray(paths) && paths.length > 0;
  if (!isList || paths.some((path) => typeof path !== 'string')) {
    throw badUpload(`The entry ${show(name)} of 'map' must be a list of one path.`);
  }
  if (paths.length > 1) {
    throw badUpload(
      `The entry ${show(name)} of 'map' has ${paths.length} paths; a file can be used once: send it once per use.`,
    );
  }
  return paths[0];
}

function leadsToNull(operations: Record<string, unknown>, path: string): boolean {
  if (path.length > MAX_PATH_LENGTH || !path.startsWith('variables.')) return false;
  let value: unknown = operations;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return false;
    // One spelling per place, so that two paths are the same place only when they are equal.
    if (Array.isArray(value) && !/^(0|[1-9]\d{0,9})$/.test(step)) return false;
    if (!Object.hasOwn(value, step)) return false;
    value = Reflect.get(value, step);
  }
  return value === null;
}

/** An error that Yoga shows to the client as it is, with its HTTP status. */
export function badUpload(message: string, status = 400): GraphQLError {
  const code = status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST';
  return createGraphQLError(message, { extensions: { code, http: { status } } });
}

function parseJson(json: string, field: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw badUpload(`The multipart field '${field}' is not valid JSON.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
