import type { GraphQLError } from 'graphql';
import { createGraphQLError } from 'graphql-yoga';

/** Far longer than any path into real variables, and short enough to split quickly. */
const MAX_PATH_LENGTH = 1_000;

/** Limit of paths for all files of a request together. */
const MAX_PATHS = 100;

/**
 * Checks the `operations` field of a GraphQL multipart request
 * (https://github.com/jaydenseric/graphql-multipart-request-spec): one operation as JSON.
 * @throws GraphQLError, 400.
 */
export function checkOperations(json: string): Record<string, unknown> {
  const operations = parseJson(json, 'operations');
  if (Array.isArray(operations)) {
    throw badUpload(
      "The multipart field 'operations' must not be a list: batches are not supported.",
    );
  }
  if (!isObject(operations)) {
    throw badUpload("The multipart field 'operations' must be a JSON object.");
  }
  return operations;
}

/**
 * Checks the `map` field before files are assigned: each path of a file must lead through
 * `variables` to an existing null. So no path can reach the query, a prototype, or a list index
 * that would extend the list.
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
      `The request may have at most ${maxFiles} files; it has ${entries.length}.`,
      413,
    );
  }
  const taken = new Set<string>();
  for (const [name, paths] of entries) {
    for (const path of pathsOf(name, paths)) {
      if (taken.has(path)) throw badUpload(`The path ${show(path)} occurs twice in 'map'.`);
      if (taken.size === MAX_PATHS) {
        throw badUpload(`'map' may have at most ${MAX_PATHS} paths.`);
      }
      taken.add(path);
      checkPlace(operations, name, path);
    }
  }
}

function pathsOf(name: string, paths: unknown): string[] {
  const isList = Array.isArray(paths) && paths.length > 0;
  if (!isList || paths.some((path) => typeof path !== 'string')) {
    throw badUpload(
      `The entry ${show(name)} of 'map' must be a list of paths, such as ["variables.file"].`,
    );
  }
  return paths;
}

function checkPlace(operations: Record<string, unknown>, name: string, path: string): void {
  const value = valueAt(operations, path);
  if (value === null) return;
  const found = value === undefined ? 'there is nothing' : `there is ${kindOf(value)}`;
  throw badUpload(
    `The path ${show(path)} of file ${show(name)} in 'map' must point to a null in 'variables', but ${found}. Send null in 'operations' where the file belongs, such as {"variables":{"file":null}}, and the file as the part ${show(name)}.`,
  );
}

/** Undefined if the path leads nowhere. */
function valueAt(operations: Record<string, unknown>, path: string): unknown {
  if (path.length > MAX_PATH_LENGTH || !path.startsWith('variables.')) return undefined;
  let value: unknown = operations;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    // One spelling per place, so that equal paths are equal strings.
    if (Array.isArray(value) && !/^(0|[1-9]\d{0,9})$/.test(step)) return undefined;
    if (!Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** An error that Yoga shows to the client unchanged, with its HTTP status. */
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
