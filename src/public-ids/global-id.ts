import { NotFoundError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The only ids that clients see: type and UUID as base64url, which needs no escaping in a URL. */
export function encodeGlobalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Null if the string is not a global id of this service. */
export function parseGlobalId(globalId: string): { typename: string; id: string } | null {
  if (globalId.length > 256) return null;
  const [typename, id, ...rest] = Buffer.from(globalId, 'base64url').toString('latin1').split(':');
  if (!typename || !id || rest.length > 0 || !UUID.test(id)) return null;
  return { typename, id };
}

/** The UUID in a global id of the given type; null for anything else. */
export function idOf(typename: string, globalId: string): string | null {
  const parsed = parseGlobalId(globalId);
  return parsed?.typename === typename ? parsed.id : null;
}

/** @throws NotFoundError with the given id. */
export function requireId(typename: string, globalId: string): string {
  const id = idOf(typename, globalId);
  if (id === null) throw new NotFoundError(typename, globalId);
  return id;
}

/**
 * For Pothos, which decodes ids before a resolver runs, and again to compute complexity. An error
 * here would abort the whole operation, so a malformed id decodes to an empty type.
 */
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  return parseGlobalId(globalId) ?? { typename: '', id: '' };
}
