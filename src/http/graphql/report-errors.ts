import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** Codes of server errors, which are logged in full where they are masked. */
const FAULTS: ReadonlySet<unknown> = new Set([
  'INTERNAL_SERVER_ERROR',
  'STORAGE_UNAVAILABLE',
  'UNAVAILABLE',
]);

/** Counts and logs the errors of one result, as its client sees it. */
export type ReportErrors = (errors: readonly GraphQLError[] | undefined, log: Log) => void;

export function createReportErrors({ metrics }: { metrics: Metrics }): ReportErrors {
  return (errors, log) => {
    if (errors === undefined) return;
    for (const { extensions } of errors) {
      metrics.increment('retouch_graphql_errors_total', { code: String(extensions['code']) });
    }
    logMistakes(errors, log);
  };
}

/**
 * Logs one line at level info for errors that a client can fix, however many a result has. Omits
 * their messages, which may quote prompts.
 */
function logMistakes(errors: readonly GraphQLError[], log: Log): void {
  const mistakes = errors.filter(
    ({ extensions: { code } }) => code !== undefined && !FAULTS.has(code),
  );
  const [first] = mistakes;
  if (first === undefined) return;
  const { code, field, limit } = first.extensions;
  log.info({ code, field, limit, path: first.path, errors: mistakes.length }, 'rejected request');
}

/** Covers single results over HTTP, and streams over every transport. */
export function useErrorReports(report: ReportErrors): Plugin<{ log: Log }, { log: Log }> {
  return {
    onSubscribe: ({ args }) => ({
      onSubscribeResult: () => ({
        onNext: ({ result }) => report(result.errors, args.contextValue.log),
      }),
    }),
    onResultProcess({ result, serverContext }) {
      if ('errors' in result) report(result.errors, serverContext.log);
    },
  };
}
