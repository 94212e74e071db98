import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { OpenedAccess } from '../../../auth/access-watch.ts';
import type { Viewer } from '../../../auth/viewer.ts';
import { checkDocumentText } from '../query-limits.ts';
import { type OperationList, withoutPrefix } from './operation-list.ts';
import { createRegisteredDocuments } from './registered-documents.ts';

/** The parts of a request, over any transport, that say which document it runs. */
export interface DocumentParams {
  readonly query?: unknown;
  readonly extensions?: unknown;
  readonly documentId?: unknown;
}

/** The parameter of a request that Yoga does not know. */
export const DOCUMENT_ID = 'documentId';

/** Which document a request runs, for all transports. */
export interface PersistedOperations {
  /**
   * The text of the document: that of the request, or the one that its id names in the list, or one
   * that a client has registered. Undefined: the request has neither a document nor an id.
   * @throws GraphQLError if the id is unknown, the hash is not the document's, the document is too
   *   large, or it is not in the list and the viewer may run only those.
   */
  documentOf(params: DocumentParams, viewer: Pick<Viewer, 'isAdmin'>): string | undefined;
}

export function createPersistedOperations(options: {
  list: OperationList;
  /** Viewers who are not admins run only documents in the list. */
  only: boolean;
}): PersistedOperations {
  const { list, only } = options;
  const listed = new Set(list.values());
  const registered = createRegisteredDocuments();

  function byId(id: string, isLimited: boolean): string {
    const document = list.get(id) ?? (isLimited ? undefined : registered.find(id));
    if (document !== undefined) return document;
    throw problem('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND', 200);
  }

  return {
    documentOf(params, { isAdmin }) {
      const isLimited = only && !isAdmin;
      const hash = hashOf(params);
      const { query } = params;
      // A WebSocket client must send a string, so an empty one counts as absent.
      if (typeof query !== 'string' || query === '') {
        const id = hash ?? documentIdOf(params);
        return id === undefined ? undefined : byId(id, isLimited);
      }
      if (isLimited && !listed.has(query)) throw problem(ONLY, 'PERSISTED_OPERATION_REQUIRED', 403);
      checkDocumentText(query);
      if (hash !== undefined && !list.has(hash)) {
        if (createHash('sha256').update(query).digest('hex') !== hash) {
          throw problem(MISMATCH, 'PERSISTED_QUERY_MISMATCH', 400);
        }
        registered.add(hash, query);
      }
      return query;
    },
  };
}

const ONLY =
  'This server runs only persisted operations: send the id of one as extensions.persistedQuery.sha256Hash or documentId.';
const MISMATCH = 'extensions.persistedQuery.sha256Hash is not the SHA-256 of the query.';

/** Runs before the limits of documents, which hold for persisted ones as well. */
export function usePersistedOperations(
  operations: PersistedOperations,
): Plugin<object, { readonly access: OpenedAccess }> {
  return {
    onParams({ params, setParams, context }) {
      const query = operations.documentOf(params, context.access.viewer);
      if (query !== undefined && query !== params.query) setParams({ ...params, query });
    },
  };
}

/** As Apollo Client sends it: https://www.apollographql.com/docs/apollo-server/performance/apq */
function hashOf({ extensions }: DocumentParams): string | undefined {
  if (typeof extensions !== 'object' || extensions === null) return undefined;
  const { persistedQuery } = extensions as { persistedQuery?: unknown };
  if (typeof persistedQuery !== 'object' || persistedQuery === null) return undefined;
  const { version, sha256Hash } = persistedQuery as { version?: unknown; sha256Hash?: unknown };
  return version === 1 && typeof sha256Hash === 'string' ? sha256Hash : undefined;
}

/** As in the appendix of GraphQL over HTTP. */
function documentIdOf({ documentId }: DocumentParams): string | undefined {
  return typeof documentId === 'string' ? withoutPrefix(documentId) : undefined;
}

/** With status 200 for an unknown hash, because clients treat others as network failures. */
function problem(message: string, code: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, spec: false } } });
}
