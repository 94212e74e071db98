/** What a part of a form says about itself. Its declared name and type of file are ignored. */
export interface PartHeader {
  /** Name of the field. */
  readonly name: string;
  /** Null: none is given. */
  readonly filename: string | null;
  /** Media type in lower case, without parameters. Null: none is given. */
  readonly type: string | null;
}

/** One parameter of a header (RFC 9110, 5.6.6): `; name=token` or `; name="quoted \" string"`. */
const PARAMETER = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/gs;

/**
 * Reads the header of a part (RFC 7578). The first Content-Disposition counts, so that a line break
 * in a file's name cannot replace it. Null if it names no field.
 */
export function parsePartHeader(header: string): PartHeader | null {
  let disposition: string | null = null;
  let type: string | null = null;
  // Continuation lines are obsolete, but allowed (RFC 5322, 2.2.3).
  for (const line of header.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (key === 'content-disposition') disposition ??= value;
    if (key === 'content-type') type ??= value;
  }
  if (disposition === null || !/^form-data\s*(;|$)/i.test(disposition)) return null;
  const parameters = parseParameters(disposition);
  const name = parameters.get('name') ?? '';
  if (name === '') return null;
  return {
    name,
    filename: parameters.get('filename') ?? parameters.get('filename*') ?? null,
    type: type === null ? null : (type.split(';', 1)[0] ?? '').trim().toLowerCase(),
  };
}

/** The boundary of a multipart/form-data body; null if there is none (RFC 2046, 5.1.1). */
export function boundaryOf(contentType: string): string | null {
  const boundary = parseParameters(contentType).get('boundary') ?? '';
  return boundary === '' || boundary.length > MAX_BOUNDARY_CHARACTERS ? null : boundary;
}

/** More than the 70 that are allowed, as other parsers accept. */
const MAX_BOUNDARY_CHARACTERS = 200;

function parseParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, key = '', quoted, token = ''] of header.matchAll(PARAMETER)) {
    const value = quoted?.replaceAll(/\\(["\\])/g, '$1') ?? token;
    const lower = key.toLowerCase();
    if (!parameters.has(lower)) parameters.set(lower, value);
  }
  return parameters;
}
