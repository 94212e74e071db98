/**
 * A request that browsers send without a preflight (the Fetch standard's simple request) needs one
 * of these headers, which force a preflight.
 */
export const CSRF_HEADERS = [
  'apollo-require-preflight',
  'graphql-require-preflight',
  'x-apollo-operation-name',
];

export const CSRF_MESSAGE = `This request needs one of the headers ${CSRF_HEADERS.join(', ')} (any value), as a protection against cross-site request forgery.`;
