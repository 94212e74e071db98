import type { ExecutionResult, FormattedExecutionResult } from 'graphql';

/** A result as clients may see it: without what its errors tell the HTTP server. */
export function toPublicResult({ errors, ...result }: ExecutionResult): FormattedExecutionResult {
  if (errors === undefined) return result;
  return {
    ...result,
    errors: errors.map((error) => {
      const { extensions, ...formatted } = error.toJSON();
      const { http: _http, ...shown } = extensions ?? {};
      return { ...formatted, ...(Object.keys(shown).length > 0 && { extensions: shown }) };
    }),
  };
}
