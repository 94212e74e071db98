import type { IncomingMessage, ServerResponse } from 'node:http';
import { isUnreachable } from '../../database/unreachable.ts';
import { StorageError, UnavailableError } from '../../errors.ts';
import type { ImageFormat } from '../../images/inspect/image-format.ts';
import { IMAGE_FORMATS } from '../../images/inspect/image-format.ts';
import { thumbnailKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { SmallBlobs } from '../../images/storage/small-blobs.ts';
import type { ThumbnailWidth } from '../../images/thumbnails/thumbnail-width.ts';
import { THUMBNAIL_WIDTHS, thumbnailWidth } from '../../images/thumbnails/thumbnail-width.ts';
import type { Thumbnails } from '../../images/thumbnails/thumbnails.ts';
import { isFresh } from '../is-fresh.ts';
import type { ByteRange } from './byte-range.ts';
import { parseByteRange } from './byte-range.ts';
import { sendProblem } from './problem.ts';
import { sendPieces } from './send-pieces.ts';

export interface StoredImage {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly format: ImageFormat;
  readonly bytes: number;
  /** Key in the blob store. */
  readonly key: string;
}

/** How a request may read an image: as a viewer, or by the signature of its URL. */
export type ImageReader<Viewer> = { readonly viewer: Viewer } | { readonly signedUntil: Date };

export type ImageRoute<Viewer> = (
  req: IncomingMessage,
  res: ServerResponse,
  id: string,
  reader: ImageReader<Viewer>,
) => Promise<void>;

/** The blob that a response sends: the image, or one of its thumbnails. */
interface Representation {
  readonly key: string;
  readonly bytes: number;
  readonly format: ImageFormat;
}

/**
 * `GET
 * HEAD /images/:id`, `?w=` for a thumbnail at least that wide. Only the viewer's own browser may
 * cache an image. Images never change, so it is cached as long as the request would be allowed: for
 * a year without authentication, until its signature expires, and with credentials not without
 * asking again. Headers make browsers treat them as images only, whatever their bytes are. Never
 * rejects.
 */
export function createImageRoute<Viewer>({
  find,
  credentialHeaders,
  blobs,
  smallBlobs,
  thumbnails,
  onError,
}: {
  /** Null if the image does not exist, or is not the viewer's. */
  find: (reader: ImageReader<Viewer>, id: string) => Promise<StoredImage | null>;
  /** The headers that decide who the viewer is. Empty: there is no authentication. */
  credentialHeaders: readonly string[];
  blobs: Pick<BlobStore, 'pieces'>;
  smallBlobs: SmallBlobs;
  thumbnails: Thumbnails;
  /** For the log. A disconnected client is not an error, nor is a shutdown. */
  onError: (error: unknown, id: string) => void;
}): ImageRoute<Viewer> {
  return async (req, res, id, reader) => {
    try {
      await answer(req, res, id, reader);
    } catch (error) {
      const isStopping = error instanceof UnavailableError;
      if (!isStopping) onError(error, id);
      if (res.headersSent) return void res.destroy();
      const isAway = isStopping || error instanceof StorageError || isUnreachable(error);
      if (isAway) res.setHeader('Retry-After', RETRY_AFTER_SECONDS);
      sendProblem(req, res, isAway ? 503 : 500, 'The image is temporarily unavailable.');
    }
  };

  async function answer(
    req: IncomingMessage,
    res: ServerResponse,
    id: string,
    reader: ImageReader<Viewer>,
  ) {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return sendProblem(req, res, 405, 'Images only support GET and HEAD.');
    }
    const width = requestedWidth(queryOf(req));
    if (width === 'invalid') {
      return sendProblem(
        req,
        res,
        400,
        `w must be a whole number from 1 to ${MAX_WIDTH} (pixels).`,
      );
    }
    const image = await find(reader, id);
    if (!image) return sendProblem(req, res, 404, 'The image does not exist, or is not yours.');

    const etag = width === null ? `"${image.sha256}"` : `"${image.sha256}-w${width}"`;
    if (isFresh(req, etag)) {
      setCaching(res, etag, reader, credentialHeaders);
      res.writeHead(304).end();
      return;
    }
    const found = width === null ? image : await thumbnailOf(image, width);
    if (!found) return sendProblem(req, res, 404, 'This image has no thumbnail.');
    setCaching(res, etag, reader, credentialHeaders);
    setSafety(res, id, found.format);
    const isSigned = 'signedUntil' in reader;
    res.setHeader('Cross-Origin-Resource-Policy', isSigned ? 'cross-origin' : 'same-origin');
    await sendImage(req, res, found, etag);
  }

  async function thumbnailOf(
    image: StoredImage,
    width: ThumbnailWidth,
  ): Promise<Representation | null> {
    const key = thumbnailKey(image.key, width);
    const bytes = smallBlobs.get(key)?.length;
    if (bytes !== undefined) return { key, bytes, format: 'webp' };
    const made = await thumbnails.make(image.key, width);
    return made && { ...made, format: 'webp' };
  }

  async function sendImage(
    req: IncomingMessage,
    res: ServerResponse,
    { key, bytes }: Representation,
    etag: string,
  ) {
    if (req.method === 'HEAD') {
      res.writeHead(200, { 'Content-Length': bytes }).end();
      return;
    }
    // If-Range has one strong validator; with any other, the client's part is outdated.
    const ifRange = req.headers['if-range'];
    const wantsPart = ifRange === undefined || ifRange === etag;
    const range = wantsPart ? parseByteRange(req.headers.range, bytes) : null;
    if (range === 'unsatisfiable') {
      res.setHeader('Content-Range', `bytes */${bytes}`);
      return sendProblem(req, res, 416, `The image has ${bytes} bytes.`);
    }
    const head = () => sendHead(res, bytes, range);
    if (!smallBlobs.takes(bytes)) {
      const pieces = blobs.pieces(key, range ?? { start: 0, end: bytes - 1 });
      return sendPieces(res, pieces, head);
    }
    const whole = smallBlobs.get(key) ?? (await smallBlobs.read(key));
    head();
    res.end(range ? whole.subarray(range.start, range.end + 1) : whole);
  }
}

const RETRY_AFTER_SECONDS = 30;
const MAX_WIDTH = Math.max(...THUMBNAIL_WIDTHS);

/** The parameters of a request's URL. */
export function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start));
}

function requestedWidth(query: URLSearchParams): ThumbnailWidth | 'invalid' | null {
  const width = query.get('w');
  if (width === null) return null;
  return (/^\d{1,5}$/.test(width) && thumbnailWidth(Number(width))) || 'invalid';
}

function sendHead(res: ServerResponse, bytes: number, range: ByteRange | null): void {
  if (!range) {
    res.writeHead(200, { 'Content-Length': bytes });
    return;
  }
  res.writeHead(206, {
    'Content-Length': range.end - range.start + 1,
    'Content-Range': `bytes ${range.start}-${range.end}/${bytes}`,
  });
}

function setCaching(
  res: ServerResponse,
  etag: string,
  reader: ImageReader<unknown>,
  credentialHeaders: readonly string[],
): void {
  res.setHeader('ETag', etag);
  res.setHeader('Accept-Ranges', 'bytes');
  if ('signedUntil' in reader) {
    const seconds = Math.floor((reader.signedUntil.getTime() - Date.now()) / 1_000);
    res.setHeader('Cache-Control', `private, max-age=${Math.max(seconds, 0)}, immutable`);
  } else if (credentialHeaders.length > 0) {
    // Whoever may read an image now may not be allowed to in five seconds.
    res.setHeader('Cache-Control', 'private, no-cache');
    const vary = [res.getHeader('Vary') ?? [], credentialHeaders].flat();
    res.setHeader('Vary', vary.join(', '));
  } else {
    res.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
  }
}

function setSafety(res: ServerResponse, id: string, format: ImageFormat): void {
  const { contentType, extension } = IMAGE_FORMATS[format];
  const name = id.replace(/[^A-Za-z0-9_-]/g, '');
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Disposition', `inline; filename="${name}.${extension}"`);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
}
