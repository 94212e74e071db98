/**
 * What a browser sends without asking first (RFC 9110 has no word for it; the Fetch standard's is a
 * simple request) needs one of these, which make it ask.
 */
export const CSRF_HEADERS = [
  'apollo-require-preflight',
  'graphql-require-preflight',
  'x-apollo-operation-name',
];

export const CSRF_MESSAGE = `This request needs one of the headers ${CSRF_HEADERS.join(', ')} (any value), as a protection against cross-site request forgery.`;
