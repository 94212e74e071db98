import type { GraphiQLProps } from 'graphiql';
import { type DocumentNode, getOperationAST } from 'graphql';
import type { Attachments } from '../files/attachments.ts';
import { CSRF_HEADERS, createSubscriptions, ENDPOINT } from './graphql.ts';
import { multipartBody, type PlacedFile, sentFiles } from './multipart.ts';

type Fetcher = GraphiQLProps['fetcher'];
type FetcherParams = Parameters<Fetcher>[0];

/**
 * How GraphiQL's operations go out: JSON as a rule, a multipart request when files are attached to
 * the active tab, server-sent events for a subscription.
 */
export function createFetcher({ attachments }: { attachments: Attachments }): Fetcher {
  return (params, { headers = {}, documentAST } = {}) => {
    const operation = { ...params, variables: asObject(params.variables) };
    if (isSubscription(documentAST, params)) {
      const { query, variables, operationName } = operation;
      return createSubscriptions(headers).iterate({
        query,
        variables,
        operationName: operationName ?? undefined,
      });
    }
    const files = sentFiles(attachments.active(), operation.variables);
    return send(operation, files, headers);
  };
}

async function send(
  operation: FetcherParams,
  files: readonly PlacedFile[],
  headers: Record<string, string>,
) {
  const isPlain = files.length === 0;
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      ...headers,
      ...CSRF_HEADERS,
      ...(isPlain && { 'content-type': 'application/json' }),
    },
    body: isPlain ? JSON.stringify(operation) : multipartBody(operation, files),
  });
  return response.json();
}

/** The introspection comes without a document, and is none. */
function isSubscription(document: DocumentNode | undefined, { operationName }: FetcherParams) {
  if (document === undefined || operationName === 'IntrospectionQuery') return false;
  return getOperationAST(document, operationName)?.operation === 'subscription';
}

/** GraphiQL parses the variables before it hands them over. */
function asObject(variables: unknown): Record<string, unknown> | undefined {
  return typeof variables === 'object' && variables !== null
    ? (variables as Record<string, unknown>)
    : undefined;
}
