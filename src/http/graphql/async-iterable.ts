/** Whether the value is a stream of results rather than a single one. */
export function isAsyncIterable<Result extends object>(
  result: Result,
): result is Extract<Result, AsyncIterable<unknown>> {
  return Symbol.asyncIterator in result;
}
