import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import { assertCanEdit } from '../../auth/visible.ts';
import { isUnreachable } from '../../database/unreachable.ts';
import type { Edits } from '../../edits/submit/edits.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { Log } from '../../log.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';
import { toErrorResponse } from '../error-response.ts';
import { sendError, sendErrorResponse } from '../send-error.ts';
import { editFailure, wasSent } from './edit-failure.ts';
import type { EditWithResult } from './edit-result.ts';
import { DO_NOT_RETRY, toOpenaiError } from './openai-dialect.ts';
import type { ReceiveEdit } from './receive/receive-edit.ts';
import { onResponseEnd } from './response-end.ts';
import { sendImages } from './send-images.ts';
import type { StreamEdit } from './stream-edit.ts';
import { idempotencyKeyOf, type SubmitEdit, type SubmittedEdit } from './submit-edit.ts';

export interface EditRequestContext {
  readonly viewer: Viewer;
  readonly baseUrl: string;
  /** A UUID. */
  readonly requestId: string;
  /** That the path names, of Azure's API. Null: the request names it, or the default applies. */
  readonly model: string | null;
  readonly log: Log;
}

/**
 * `POST /v1/images/edits` (https://platform.openai.com/docs/api-reference/images/createEdit): runs
 * the same edit as `editImage`, and responds when it has ended. Never rejects.
 */
export type EditsRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  context: EditRequestContext,
) => Promise<void>;

export function createEditsRoute(options: {
  receiveEdit: ReceiveEdit;
  edits: Pick<Edits, 'check'>;
  submitEdit: SubmitEdit;
  streamEdit: StreamEdit;
  /** Stores what became of the response to a request; does not throw. */
  endResponse: (requestId: string, state: 'WRITTEN' | 'LOST') => void;
  blobs: Pick<BlobStore, 'pieces'>;
}): EditsRoute {
  const { receiveEdit, edits, submitEdit, streamEdit, endResponse, blobs } = options;

  async function respond(
    res: ServerResponse,
    submitted: SubmittedEdit,
    { isStreamed, viewer, signal }: { isStreamed: boolean; viewer: Viewer; signal: AbortSignal },
  ): Promise<void> {
    const startedMs = performance.now();
    const setHeaders = (edit: EditWithResult) => {
      res.setHeader('openai-processing-ms', Math.round(performance.now() - startedMs));
      if (wasSent(edit) || edit.status === 'CANCELED') setAll(res, DO_NOT_RETRY);
    };
    if (isStreamed) {
      setAll(res, DO_NOT_RETRY);
      const { edit, stream } = await streamEdit(res, submitted, { viewer, signal });
      if (edit === null) return void res.destroy();
      if (edit.status === 'SUCCEEDED') return;
      if (!stream.isOpen) {
        res.removeHeader('x-should-retry');
        setHeaders(edit);
        return sendFailure(res, edit, viewer);
      }
      const error = toOpenaiError(editFailure(edit, viewer));
      await stream.send('error', [JSON.stringify({ type: 'error', error })]);
      return stream.end();
    }
    const edit = await submitted.untilFinal();
    // This process shuts down. Without a response, the client sends the request again.
    if (edit === null) return void res.destroy();
    setHeaders(edit);
    if (edit.status === 'SUCCEEDED') await sendImages(res, edit, blobs);
    else sendFailure(res, edit, viewer);
  }

  async function run(req: IncomingMessage, res: ServerResponse, context: EditRequestContext) {
    const { viewer, requestId, baseUrl, log } = context;
    const idempotencyKey = idempotencyKeyOf(req.headers);
    // Each part of its way watches the connection.
    res.setMaxListeners(20);
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const received = await receiveEdit(req, res, {
      ...context,
      signal: gone.signal,
      check: (edit) => edits.check(viewer, { ...edit, idempotencyKey }),
    });
    try {
      const by = { viewer, requestId, signal: gone.signal };
      using submitted = await submitEdit(req.headers, received, by).catch((error: unknown) => {
        throw received.wireError(error);
      });
      onResponseEnd(res, (state) => {
        if (state === 'LOST')
          log.info({ jobId: submitted.id }, 'client disconnected: its edit goes on');
        endResponse(requestId, state);
      });
      setAll(res, editHeaders(submitted, baseUrl));
      await respond(res, submitted, { ...received, ...by }).catch((error: unknown) => {
        // No response: it would have to say whether the edit was paid. The client sends the request
        // again, and finds the edit.
        if (!gone.signal.aborted) log.error({ err: error }, 'could not send an edit');
        res.destroy();
      });
    } catch (error) {
      // The edit may have been committed, and may run.
      if (!isUnreachable(error)) throw error;
      log.error({ err: error }, 'could not submit an edit');
      onResponseEnd(res, (state) => endResponse(requestId, state));
      res.destroy();
    } finally {
      await received.discard();
    }
  }

  return async (req, res, context) => {
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      return sendError(res, 405, 'METHOD_NOT_ALLOWED', 'Edits only support POST.');
    }
    try {
      assertCanEdit(context.viewer);
      await run(req, res, context);
    } catch (error) {
      const response = toErrorResponse(error);
      if (response.fault === 'server')
        context.log.error({ err: error }, 'could not submit an edit');
      // A body that did not arrive in time already got its response.
      if (!res.destroyed && !res.headersSent) sendErrorResponse(res, response);
    }
  };
}

function sendFailure(res: ServerResponse, edit: EditWithResult, viewer: Viewer): void {
  const { status, code, message, details, retryAfterSeconds } = editFailure(edit, viewer);
  sendError(res, status, code, message, details, retryAfterSeconds);
}

function editHeaders({ id, isAttached }: SubmittedEdit, baseUrl: string) {
  const editId = encodeGlobalId('EditJob', id);
  return {
    'x-retouch-edit-id': editId,
    'x-retouch-edit-url': `${baseUrl}/graphql?edit=${encodeURIComponent(editId)}`,
    ...(isAttached && { 'x-retouch-attached': 'true' }),
  };
}

function setAll(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}
