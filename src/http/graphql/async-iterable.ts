/** A stream of results, as opposed to a single one. */
export function isAsyncIterable<Result extends object>(
  result: Result,
): result is Extract<Result, AsyncIterable<unknown>> {
  return Symbol.asyncIterator in result;
}
