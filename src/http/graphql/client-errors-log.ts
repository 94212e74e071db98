import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Log } from '../../log.ts';

/** Codes of faults on this side: whoever masks such an error logs it in full. */
const FAULTS: ReadonlySet<unknown> = new Set([
  'INTERNAL_SERVER_ERROR',
  'STORAGE_UNAVAILABLE',
  'UNAVAILABLE',
]);

/**
 * A line at level info for errors that a client can mend, however many a result has. Their messages
 * are left out: they may quote prompts.
 */
export function logMistakes(errors: readonly GraphQLError[] | undefined, log: Log): void {
  const mistakes = (errors ?? []).filter(
    ({ extensions: { code } }) => code !== undefined && !FAULTS.has(code),
  );
  const [first] = mistakes;
  if (first === undefined) return;
  const { code, field, limit } = first.extensions;
  log.info({ code, field, limit, path: first.path, errors: mistakes.length }, 'rejected request');
}

/** The mistakes in single results by HTTP, and in the streams of every transport. */
export function useMistakesLog(): Plugin<{ log: Log }, { log: Log }> {
  return {
    onSubscribe: ({ args }) => ({
      onSubscribeResult: () => ({
        onNext: ({ result }) => logMistakes(result.errors, args.contextValue.log),
      }),
    }),
    onResultProcess({ result, serverContext }) {
      if ('errors' in result) logMistakes(result.errors, serverContext.log);
    },
  };
}
