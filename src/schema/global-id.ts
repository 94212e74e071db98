import { NotFoundError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The only ids that clients see: type and UUID as base64url, so that they fit into a URL as they are. */
export function encodeGlobalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Null for what this service never gave out. */
export function parseGlobalId(globalId: string): { typename: string; id: string } | null {
  if (globalId.length > 256) return null;
  const [typename, id, ...rest] = Buffer.from(globalId, 'base64url').toString('latin1').split(':');
  if (!typename || !id || rest.length > 0 || !UUID.test(id)) return null;
  return { typename, id };
}

/** The UUID in the global id of such a type; null for anything else. */
export function idOf(typename: string, globalId: string): string | null {
  const parsed = parseGlobalId(globalId);
  return parsed?.typename === typename ? parsed.id : null;
}

/** @throws NotFoundError that names the id as it was given. */
export function requireId(typename: string, globalId: string): string {
  const id = idOf(typename, globalId);
  if (id === null) throw new NotFoundError(typename, globalId);
  return id;
}

/**
 * For Pothos, which decodes ids before a resolver runs, and again to estimate complexity: an error
 * here would abort the whole operation. A malformed id is of no type instead.
 */
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  return parseGlobalId(globalId) ?? { typename: '', id: '' };
}
