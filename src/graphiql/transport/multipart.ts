import type { Operation } from './graphql.ts';

/** Path into the variables, such as `['input', 'images', 0, 'file']`. */
export type Path = readonly (string | number)[];

export interface PlacedFile {
  readonly path: Path;
  readonly file: File;
}

export function pathKey(path: Path): string {
  return path.join('.');
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined,
    root,
  );
}

/** The files that these variables send: only those whose place is null. */
export function sentFiles(files: readonly PlacedFile[], variables: unknown): PlacedFile[] {
  return files.filter(({ path }) => valueAt(variables, path) === null);
}

/**
 * Builds a GraphQL multipart request
 * (https://github.com/jaydenseric/graphql-multipart-request-spec). Each file's place in the
 * variables must be null.
 */
export function multipartBody(operation: Operation, files: readonly PlacedFile[]): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify(operation));
  form.set('map', JSON.stringify(multipartMap(files)));
  for (const [index, { file }] of files.entries()) form.set(String(index), file, file.name);
  return form;
}

/** The `map` of a GraphQL multipart request. */
export function multipartMap(files: readonly PlacedFile[]): Record<string, string[]> {
  return Object.fromEntries(
    files.map(({ path }, index) => [index, [`variables.${pathKey(path)}`]]),
  );
}

/** For people, such as `input.images[0].file`. */
export function pathName(path: Path): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : name ? `${name}.${key}` : key),
    '',
  );
}
