export interface FormPart {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** As it stands in the header, quotes and all escapes included; a part without is a field. */
  readonly filename?: string;
  readonly type?: string;
}

export const BOUNDARY = 'a-boundary-of-the-tests';

export const MULTIPART_HEADERS = {
  'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
  'x-graphql-yoga-csrf': '1',
};

/** A multipart/form-data body, written by hand so that it can be as wrong as a test needs. */
export function formBody(parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap(({ name, content, filename, type }) => [
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`),
    Buffer.from(filename === undefined ? '' : `; filename="${filename}"`),
    Buffer.from(`${type === undefined ? '' : `\r\nContent-Type: ${type}`}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/**
 * A GraphQL multipart request: the files stand in `$files`, in order; their parts come in the order
 * of `order`.
 */
export function uploadBody(
  query: string,
  files: readonly Uint8Array[],
  order = files.map((_, index) => index),
): Buffer {
  const variables = { files: files.map(() => null) };
  const map = Object.fromEntries(files.map((_, index) => [index, [`variables.files.${index}`]]));
  return formBody([
    { name: 'operations', content: JSON.stringify({ query, variables }) },
    { name: 'map', content: JSON.stringify(map) },
    ...order.map((index) => filePart(String(index), files[index] ?? Buffer.alloc(0))),
  ]);
}

export function filePart(name: string, content: Uint8Array, filename = 'image.png'): FormPart {
  return { name, content, filename, type: 'image/png' };
}
