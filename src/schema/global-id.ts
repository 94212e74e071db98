import { GraphQLError } from 'graphql';

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

/** @throws GraphQLError with code BAD_USER_INPUT. */
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  const decoded = parseGlobalId(globalId);
  if (decoded === null) {
    throw new GraphQLError(
      `${JSON.stringify(globalId.slice(0, 64))} is not an id of this service.`,
      {
        extensions: { code: 'BAD_USER_INPUT' },
      },
    );
  }
  return decoded;
}
