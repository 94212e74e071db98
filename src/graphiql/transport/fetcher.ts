import type { GraphiQLProps } from 'graphiql';
import {
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import type { Attachments } from '../files/attachments.ts';
import { promptsOf, type Runs } from '../results/runs.ts';
import { createSubscriptions, JSON_HEADERS, post, wordsOf } from './graphql.ts';
import { multipartBody, type PlacedFile, sentFiles } from './multipart.ts';
import { serviceNow } from './service-clock.ts';

type Fetcher = GraphiQLProps['fetcher'];
type FetcherParams = Parameters<Fetcher>[0];

/**
 * Sends GraphiQL's operations: as JSON, as multipart if files are attached to the active tab, or
 * over server-sent events for a subscription.
 */
export function createFetcher(options: { attachments: Attachments; runs: Runs }): Fetcher {
  const { attachments, runs } = options;
  return (params, { headers = {} } = {}) => {
    const operation = operationOf(params);
    const request = {
      ...params,
      operationName: operation?.name?.value ?? params.operationName,
      variables: asObject(params.variables),
    };
    // GraphiQL requests the schema itself.
    const isRun = !params.query.includes('__schema');
    const run = isRun
      ? runs.begin({
          prompts: promptsOf(operation, request.variables),
          startedAt: serviceNow(),
        })
      : null;
    const end = () => run?.end(serviceNow());
    if (operation?.operation === 'subscription') {
      const { query, variables, operationName } = request;
      const results: AsyncIterator<ExecutionResult> = createSubscriptions(headers).iterate({
        query,
        variables,
        operationName: operationName ?? undefined,
      });
      return withErrorsInWords(results, { onResult: (result) => run?.result(result), onEnd: end });
    }
    const names = operation?.variableDefinitions?.map(({ variable }) => variable.name.value);
    const files = sentFiles(attachments.active(), request.variables).filter(
      // Another operation of the tab may use the other files.
      ({ path: [name] }) => names?.includes(String(name)) ?? true,
    );
    return send(request, files, headers)
      .then((result) => {
        run?.result(result.data);
        return result;
      })
      .finally(end);
  };
}

function send(
  operation: FetcherParams,
  files: readonly PlacedFile[],
  headers: Record<string, string>,
): Promise<ExecutionResult> {
  const sent =
    files.length > 0
      ? post<ExecutionResult>(multipartBody(operation, files), headers)
      : post<ExecutionResult>(JSON.stringify(operation), { ...headers, ...JSON_HEADERS });
  return sent.catch(inWords);
}

/** GraphiQL would show the stack of a thrown error. */
function inWords(error: unknown): ExecutionResult {
  return { errors: [new GraphQLError(wordsOf(error))] };
}

/** Not a generator, because GraphiQL must be able to stop it while it waits for a result. */
function withErrorsInWords(
  results: AsyncIterator<ExecutionResult>,
  watch: { onResult: (data: unknown) => void; onEnd: () => void },
) {
  const shown: AsyncIterableIterator<ExecutionResult> = {
    [Symbol.asyncIterator]: () => shown,
    async next() {
      try {
        const next = await results.next();
        if (next.done) watch.onEnd();
        else watch.onResult(next.value.data);
        return next;
      } catch (error) {
        watch.onEnd();
        return { done: false, value: inWords(error) };
      }
    },
    return() {
      watch.onEnd();
      return results.return?.() ?? Promise.resolve({ done: true, value: undefined });
    },
  };
  return shown;
}

/**
 * Parsed from the text that is sent, because GraphiQL may pass the document and name of the
 * previous tab. Null if the text is invalid or ambiguous.
 */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? null;
  } catch {
    return null;
  }
}

/** GraphiQL parses the variables before it passes them. */
function asObject(variables: unknown): Record<string, unknown> | undefined {
  return typeof variables === 'object' && variables !== null
    ? (variables as Record<string, unknown>)
    : undefined;
}
