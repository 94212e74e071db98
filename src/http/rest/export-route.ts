import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Viewer } from '../../auth/viewer.ts';
import { checkAll, checkEach, InvalidInputError } from '../../errors.ts';
import type { EditRecord } from '../../export/edit-record.ts';
import type { ExportEdits } from '../../export/export-edits.ts';
import { type ExportPiece, exportText } from '../../export/export-text.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../export/formats.ts';
import type { Log } from '../../log.ts';
import { readHistoryArguments } from '../../schema/history-arguments.ts';
import { logProgress } from '../../telemetry/progress.ts';
import { toErrorResponse } from '../error-response.ts';
import { sendError, sendErrorResponse } from '../send-error.ts';

/** Most parameters of a URL that are checked. */
const MAX_NAMES = 100;

const PARAMETERS = ['format', 'filter', 'search', 'orderBy'];

export type ExportRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  from: { readonly viewer: Viewer; readonly baseUrl: string },
) => Promise<void>;

/**
 * `GET
 * HEAD /export/edits`: the history as a file, with the arguments of the query `editJobs`. Rows are
 * read at the client's pace, and reading stops when it disconnects. A failure in between cuts the
 * response, so that it cannot be mistaken for complete. Never rejects.
 */
export function createExportRoute(options: {
  exportEdits: ExportEdits;
  log: Pick<Log, 'info' | 'error'>;
}): ExportRoute {
  const { exportEdits, log } = options;

  return async (req, res, { viewer, baseUrl }) => {
    try {
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        res.setHeader('allow', 'GET, HEAD');
        return sendError(res, 405, 'METHOD_NOT_ALLOWED', 'Exports only support GET.');
      }
      const { format, query } = readRequest(req.url ?? '');
      let exported = 0;
      using _progress = logProgress(log, 'exporting the history', () => ({ exported }));
      const edits = exportEdits(viewer, query, baseUrl);
      // Before the head is sent: the first edit reveals an invalid query.
      const first = await edits.next();
      sendHead(res, format);
      if (req.method === 'HEAD') {
        await edits.return();
        return void res.end();
      }
      const pieces = exportText(format, withFirst(first, edits));
      const onPiece = (piece: ExportPiece) => {
        exported += piece.edits;
      };
      await pipeline(Readable.from(textOf(pieces, onPiece)), res);
    } catch (error) {
      answerFailure(res, error);
    }
  };

  function answerFailure(res: ServerResponse, error: unknown): void {
    if (isClosedByClient(error)) return;
    const response = toErrorResponse(error);
    // A disconnected client is not an error.
    if (response.fault === 'server') log.error({ err: error }, 'history not exported');
    if (res.headersSent) res.destroy();
    else sendErrorResponse(res, response);
  }
}

/** @throws InvalidInputError */
function readRequest(url: string) {
  const start = url.indexOf('?');
  const given = new URLSearchParams(start < 0 ? '' : url.slice(start));
  return checkAll({
    names: () => checkEach([...given.keys()].slice(0, MAX_NAMES), checkName),
    format: () => readFormat(given.get('format') ?? 'ndjson'),
    query: () =>
      readHistoryArguments({
        filter: given.get('filter'),
        search: given.get('search'),
        orderBy: given.get('orderBy'),
      }),
  });
}

function checkName(given: string): void {
  if (PARAMETERS.includes(given)) return;
  const name = given.slice(0, 64);
  throw new InvalidInputError(
    name,
    'UNSUPPORTED_VALUE',
    `${JSON.stringify(name)} is not one of the parameters ${PARAMETERS.join(', ')}.`,
  );
}

function readFormat(name: string): ExportFormat {
  const format = Object.hasOwn(EXPORT_FORMATS, name) ? EXPORT_FORMATS[name] : undefined;
  if (format !== undefined) return format;
  const message = `format must be one of ${Object.keys(EXPORT_FORMATS).join(', ')}.`;
  throw new InvalidInputError('format', 'UNSUPPORTED_VALUE', message);
}

function sendHead(res: ServerResponse, { contentType, extension }: ExportFormat): void {
  const at = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  res.writeHead(200, {
    'content-type': contentType,
    'content-disposition': `attachment; filename="edits-${at}Z.${extension}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    // Sends rows as they are read; nginx would buffer them.
    'x-accel-buffering': 'no',
  });
}

async function* textOf(
  pieces: AsyncIterable<ExportPiece>,
  onPiece: (piece: ExportPiece) => void,
): AsyncGenerator<string, void, undefined> {
  for await (const piece of pieces) {
    onPiece(piece);
    yield piece.text;
  }
}

/** All edits, the first of which has been read. */
async function* withFirst(
  first: IteratorResult<EditRecord, void>,
  edits: AsyncGenerator<EditRecord, void, undefined>,
): AsyncGenerator<EditRecord, void, undefined> {
  try {
    for (let next = first; !next.done; next = await edits.next()) yield next.value;
  } finally {
    await edits.return();
  }
}

function isClosedByClient(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String(code));
}
