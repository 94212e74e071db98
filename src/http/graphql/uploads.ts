import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { processRequest } from 'graphql-upload-minimal';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { readSmallBody } from '../body-limit.ts';
import { declaredBytes, type TakePlace } from '../upload-places.ts';
import { badUpload, checkMap, checkOperations } from './upload-map.ts';

/** The parts of Yoga's context that come from node:http. */
interface NodeContext {
  readonly req?: IncomingMessage;
  readonly res?: ServerResponse;
}

export interface UploadLimits {
  /** Maximum number of files per request; default 17: 16 images and a mask. */
  readonly maxFiles?: number;
  /** Maximum size of a file, inclusive. */
  readonly maxFileBytes: number;
  /** Limit of each of the fields `operations` and `map`; default 1 MiB. */
  readonly maxFieldBytes?: number;
  /** Limit of a body that is not multipart; default 2 MiB. */
  readonly maxJsonBytes?: number;
  /** For multipart bodies that are being read; unlimited by default. */
  readonly takePlace?: TakePlace;
}

export const MULTIPART = /^multipart\/form-data\b/i;
/** Spare room for boundaries and part headers. */
export const MAX_FRAMING_BYTES = 256 * 1024;

/**
 * Reads request bodies: GraphQL multipart requests with graphql-upload-minimal, all others up to
 * `maxJsonBytes`. Must run after CSRF prevention. Yoga itself needs `multipart: false` and
 * `maxRequestBodySize: false`, or it would read a multipart body again.
 *
 * A rejected body is a GraphQL error with code BAD_REQUEST (400), PAYLOAD_TOO_LARGE (413), or, if
 * too much is being read already, UNAVAILABLE (503). Files that no resolver read are dropped when
 * the response ends, so that the connection can be reused.
 *
 * Works only for requests of node:http; others (`yoga.fetch`) have neither uploads nor limits here.
 */
export function useUploads(limits: UploadLimits): Plugin<object, NodeContext> {
  const maxFiles = limits.maxFiles ?? 17;
  const maxFieldBytes = limits.maxFieldBytes ?? 1024 * 1024;
  const maxJsonBytes = limits.maxJsonBytes ?? 2 * 1024 * 1024;
  const maxMultipartBytes = maxFiles * limits.maxFileBytes + 2 * maxFieldBytes + MAX_FRAMING_BYTES;

  async function parseMultipart(req: IncomingMessage, res: ServerResponse): Promise<GraphQLParams> {
    if ((declaredBytes(req) ?? 0) > maxMultipartBytes) {
      throw badUpload('The request body exceeds the maximum total size of its files.', 413);
    }
    limits.takePlace?.(req, res);
    const guard = guardMultipart(req, res, maxFiles);
    try {
      const operations = await processRequest(guard.request, res, {
        maxFiles,
        // The parser treats a part at its limit like one above it.
        maxFieldSize: maxFieldBytes + 1,
        maxFileSize: limits.maxFileBytes + 1,
      });
      // The type includes batches, which checkOperations rejected.
      return operations as GraphQLParams;
    } catch (error) {
      // The parser may find another error in the same chunk and report that one first.
      throw guard.refusal() ?? asClientError(error);
    }
  }

  return {
    onRequestParse({ request, requestParser, setRequestParser, serverContext, fetchAPI }) {
      const { req, res } = serverContext;
      if (request.method !== 'POST' || !req || !res) return;
      if (MULTIPART.test(request.headers.get('content-type') ?? '')) {
        setRequestParser(() => parseMultipart(req, res));
      } else if (requestParser) {
        setRequestParser(async () => {
          const { url, method, headers, signal } = request;
          const body = new Uint8Array(await readSmallBody(req, maxJsonBytes));
          return requestParser(new fetchAPI.Request(url, { method, headers, signal, body }));
        });
      }
    },
  };
}

/**
 * The request as graphql-upload-minimal sees it. The library applies `map` to `operations` while it
 * reads them and offers no hook, but it creates its parser first and then calls `req.pipe(parser)`.
 * So this `pipe` checks the parser's fields on their way to the library. No byte is parsed twice,
 * so two parsers cannot differ. If a release of the library works differently, every upload fails
 * here; none bypasses the checks.
 */
function guardMultipart(req: IncomingMessage, res: ServerResponse, maxFiles: number) {
  let refusal: unknown;
  const view = {
    headers: req.headers,
    get readableEnded() {
      return req.readableEnded;
    },
    once: req.once.bind(req),
    unpipe: req.unpipe.bind(req),
    resume: req.resume.bind(req),
    pipe(parser: Writable) {
      checkFields(parser, maxFiles, (error) => {
        refusal = error;
        parser.destroy();
      });
      // A part header that is malformed twice in one chunk emits a second error after the library
      // removed its listener, which would end the process.
      parser.on('error', () => undefined);
      // Nobody waits for a file any more. When its parser closes, the library drops the rest of the
      // body, so that the connection can carry the next request.
      res.once('close', () => parser.destroy());
      return req.pipe(parser);
    },
  };
  return { request: view as unknown as IncomingMessage, refusal: () => refusal };
}

/** Checks fields between the parser and the library; after a rejection nothing passes any more. */
function checkFields(parser: Writable, maxFiles: number, refuse: (error: unknown) => void): void {
  const [deliver, ...others] = parser.listeners('field');
  if (!deliver || others.length > 0) throw new TypeError('Unknown multipart parser.');
  let operations: Record<string, unknown> | undefined;
  let refused = false;
  parser.removeAllListeners('field');
  parser.on('field', (name: string, value: string, info: { valueTruncated: boolean }) => {
    if (refused) return;
    try {
      // The library rejects a cut field, and a map without operations.
      if (name === 'operations' && !info.valueTruncated) operations = checkOperations(value);
      if (name === 'map' && !info.valueTruncated && operations) {
        checkMap(value, { operations, maxFiles });
      }
    } catch (error) {
      refused = true;
      refuse(error);
      return;
    }
    deliver.call(parser, name, value, info);
  });
}

/** The library's HttpErrors have a status; the parser's own are plain Errors about the body. */
function asClientError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('status' in error) return badUpload(error.message, error.status === 413 ? 413 : 400);
  if (error.constructor === Error) {
    return badUpload(`The multipart body is malformed: ${error.message}.`);
  }
  return error;
}
