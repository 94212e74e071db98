import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isUnreachable } from '../../database/unreachable.ts';
import { StorageError, UnavailableError } from '../../errors.ts';
import type { ImageFormat } from '../../images/inspect/image-format.ts';
import { IMAGE_FORMATS } from '../../images/inspect/image-format.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { ThumbnailWidth } from '../../images/thumbnails/thumbnail-width.ts';
import { THUMBNAIL_WIDTHS, thumbnailWidth } from '../../images/thumbnails/thumbnail-width.ts';
import type { Thumbnails } from '../../images/thumbnails/thumbnails.ts';
import { isFresh } from '../is-fresh.ts';
import type { ByteRange } from './byte-range.ts';
import { parseByteRange } from './byte-range.ts';

export interface StoredImage {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly format: ImageFormat;
  readonly bytes: number;
  /** Key in the blob store. */
  readonly key: string;
}

export type ImageRoute<Viewer> = (
  req: IncomingMessage,
  res: ServerResponse,
  id: string,
  viewer: Viewer,
) => Promise<void>;

/** The blob that a response sends: the image, or one of its thumbnails. */
interface Representation {
  readonly key: string;
  readonly bytes: number;
  readonly format: ImageFormat;
}

/**
 * `GET
 * HEAD /images/:id`, `?w=` for a thumbnail at least that wide. Images never change, so they are
 * cached for a year, by the viewer's own browser only. Headers make browsers treat them as images
 * only, whatever their bytes are. Never rejects.
 */
export function createImageRoute<Viewer>({
  find,
  blobs,
  thumbnails,
  onError,
}: {
  /** Null if the image does not exist or is not the viewer's. */
  find: (viewer: Viewer, id: string) => Promise<StoredImage | null>;
  blobs: BlobStore;
  thumbnails: Thumbnails;
  /** For the log. A disconnected client is not an error, nor is a shutdown. */
  onError: (error: unknown, id: string) => void;
}): ImageRoute<Viewer> {
  return async (req, res, id, viewer) => {
    try {
      await answer(req, res, id, viewer);
    } catch (error) {
      const isStopping = error instanceof UnavailableError;
      if (!isStopping) onError(error, id);
      if (res.headersSent) return void res.destroy();
      const isAway = isStopping || error instanceof StorageError || isUnreachable(error);
      if (isAway) res.setHeader('Retry-After', RETRY_AFTER_SECONDS);
      sendProblem(req, res, isAway ? 503 : 500, 'The image is temporarily unavailable.');
    }
  };

  async function answer(req: IncomingMessage, res: ServerResponse, id: string, viewer: Viewer) {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return sendProblem(req, res, 405, 'Images only support GET and HEAD.');
    }
    const width = requestedWidth(req.url ?? '');
    if (width === 'invalid') {
      return sendProblem(
        req,
        res,
        400,
        `w must be a whole number from 1 to ${MAX_WIDTH} (pixels).`,
      );
    }
    const image = await find(viewer, id);
    if (!image) return sendProblem(req, res, 404, 'The image does not exist, or is not yours.');

    const etag = width === null ? `"${image.sha256}"` : `"${image.sha256}-w${width}"`;
    if (isFresh(req, etag)) {
      setCaching(res, etag);
      res.writeHead(304).end();
      return;
    }
    const found = width === null ? image : await thumbnailOf(image, width);
    if (!found) return sendProblem(req, res, 404, 'This image has no thumbnail.');
    setCaching(res, etag);
    setSafety(res, id, found.format);
    await sendImage(req, res, found, etag);
  }

  async function thumbnailOf(
    image: StoredImage,
    width: ThumbnailWidth,
  ): Promise<Representation | null> {
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
    const body = blobs.read(key, range ?? undefined);
    // Before the head is sent: a missing image must not look like an incomplete one.
    if (!(await readable(body, res))) return;
    sendHead(res, bytes, range);
    await pipeline(body, res).catch((error: unknown) => {
      if (!isClosedByClient(error)) throw error;
    });
  }
}

const RETRY_AFTER_SECONDS = 30;
const MAX_WIDTH = Math.max(...THUMBNAIL_WIDTHS);

function requestedWidth(url: string): ThumbnailWidth | 'invalid' | null {
  const query = url.indexOf('?');
  const width = query < 0 ? null : new URLSearchParams(url.slice(query)).get('w');
  if (width === null) return null;
  return (/^\d{1,5}$/.test(width) && thumbnailWidth(Number(width))) || 'invalid';
}

/** Waits for the first bytes. False if the client disconnected meanwhile. */
async function readable(body: Readable, res: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  res.once('close', onClose);
  try {
    if (res.destroyed) gone.abort();
    await once(body, 'readable', { signal: gone.signal });
    return true;
  } catch (error) {
    body.destroy();
    if (gone.signal.aborted) return false;
    throw error;
  } finally {
    res.off('close', onClose);
  }
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

function setCaching(res: ServerResponse, etag: string): void {
  res.setHeader('ETag', etag);
  res.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
  res.setHeader('Accept-Ranges', 'bytes');
}

function setSafety(res: ServerResponse, id: string, format: ImageFormat): void {
  const { contentType, extension } = IMAGE_FORMATS[format];
  const name = id.replace(/[^A-Za-z0-9_-]/g, '');
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Disposition', `inline; filename="${name}.${extension}"`);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
}

/** A problem report (RFC 9457), never cached. */
function sendProblem(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  detail: string,
): void {
  for (const name of ['ETag', 'Cache-Control', 'Content-Disposition']) res.removeHeader(name);
  const body = Buffer.from(JSON.stringify({ status, detail }));
  res.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

function isClosedByClient(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String(code));
}
