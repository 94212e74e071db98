import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import { assertCanEdit } from '../../auth/visible.ts';
import { InvalidInputError, StorageError } from '../../errors.ts';
import type { Images } from '../../images/images.ts';
import { type FileUpload, tooLarge } from '../../images/receive/receive-image.ts';
import type { Uploads } from '../../images/receive/uploads.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';
import type { ImageLinks } from '../../public-ids/image-links.ts';
import { toErrorResponse } from '../error-response.ts';
import { encodingProblem } from '../graphql/content-negotiation.ts';
import { CSRF_HEADERS, CSRF_MESSAGE } from '../graphql/csrf.ts';
import { MAX_FRAMING_BYTES, MULTIPART } from '../graphql/uploads.ts';
import { sendError, sendErrorResponse } from '../send-error.ts';
import { declaredBytes, type TakePlace } from '../upload-places.ts';
import { readImageForm } from './image-form.ts';

export type UploadRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  context: { readonly viewer: Viewer; readonly baseUrl: string },
) => Promise<void>;

/** Its name in messages, as in `uploadImage`. */
const FIELD = 'file';

/** Browsers send these to another origin only after a preflight, so they need no further header. */
const RAW = /^(image\/(png|jpeg|webp)|application\/octet-stream)\s*(;|$)/i;

const STATUS: Partial<Record<InvalidInputError['code'], number>> = {
  TOO_LARGE: 413,
  UNSUPPORTED_FORMAT: 415,
};

/**
 * `POST /images`: does what `uploadImage` does, for clients whose gateway does not forward files.
 * The body is the image itself, or a form with one file. Returns 201 and the Image as JSON; errors
 * have the shape of GraphQL errors, an InvalidInputError with its `field`. Never rejects.
 */
export function createUploadRoute(options: {
  uploads: Pick<Uploads, 'store'>;
  images: Pick<Images, 'find'>;
  imageLinks: Pick<ImageLinks, 'url'>;
  /** Shared by all routes that receive uploads. */
  takePlace: TakePlace;
  /** Maximum size of an image, inclusive. */
  maxFileBytes: number;
  /** Called with server errors, for the log. */
  onError: (error: unknown) => void;
}): UploadRoute {
  const { uploads, images, imageLinks, takePlace, maxFileBytes, onError } = options;

  return async (req, res, { viewer, baseUrl }) => {
    const type = (req.headers['content-type'] ?? '').trim();
    const isForm = MULTIPART.test(type);
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      return sendError(res, 405, 'METHOD_NOT_ALLOWED', 'Uploads only support POST.');
    }
    try {
      assertCanEdit(viewer);
    } catch (error) {
      return reject(res, error);
    }
    if (!isForm && !RAW.test(type)) return sendError(res, 415, 'UNSUPPORTED_MEDIA_TYPE', TYPES);
    const problem = encodingProblem(req.headers['content-encoding']);
    if (problem !== null) return sendError(res, 415, 'UNSUPPORTED_MEDIA_TYPE', problem);
    if (isForm && !CSRF_HEADERS.some((name) => req.headers[name])) {
      return sendError(res, 403, 'CSRF_PREVENTED', CSRF_MESSAGE);
    }
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    try {
      if ((declaredBytes(req) ?? 0) > maxFileBytes + (isForm ? MAX_FRAMING_BYTES : 0)) {
        throw tooLarge(FIELD, maxFileBytes);
      }
      takePlace(req, res);
      const upload: Promise<FileUpload> = isForm
        ? readImageForm(req, { field: FIELD, maxFileBytes })
        : Promise.resolve({ createReadStream: () => req });
      // It may fail after the response, when nobody awaits it.
      upload.catch(() => undefined);
      const { id } = await uploads.store(viewer, { field: FIELD, upload }, gone.signal);
      const image = await images.find(viewer, id);
      if (image === null) throw new StorageError(DELETED);
      const url = imageLinks.url(baseUrl, id);
      const { format, width, height, bytes, sha256 } = image;
      const globalId = encodeGlobalId('Image', id);
      // The resource itself, which needs credentials; a signature does not belong into a header.
      const location = `${baseUrl}/images/${globalId}`;
      res.writeHead(201, { 'content-type': 'application/json', location });
      res.end(JSON.stringify({ id: globalId, url, format, width, height, bytes, sha256 }));
    } catch (error) {
      // A body that did not arrive in time already got its response.
      if (!res.destroyed && !res.headersSent) reject(res, error);
    }
  };

  function reject(res: ServerResponse, error: unknown): void {
    const response = toErrorResponse(error);
    if (response.fault === 'server') onError(error);
    const status = error instanceof InvalidInputError ? STATUS[error.code] : undefined;
    sendErrorResponse(res, response, status);
  }
}

const TYPES =
  'The body must be an image (Content-Type image/png, image/jpeg, image/webp or application/octet-stream), or a form with one file (multipart/form-data).';

const DELETED = 'The image was deleted while it was being stored. Send it again.';
