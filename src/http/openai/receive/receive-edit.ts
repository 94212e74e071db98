import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../../auth/viewer.ts';
import type { EditParamsInput } from '../../../edits/input/parameters.ts';
import type { InputImage } from '../../../edits/submit/edits.ts';
import { InvalidInputError } from '../../../errors.ts';
import type { Images } from '../../../images/images.ts';
import type { Uploads } from '../../../images/receive/uploads.ts';
import type { TakePlace } from '../../upload-places.ts';
import { bodyFormat } from './body-format.ts';
import { toEditParams } from './edit-params.ts';
import { createImageIntake } from './image-intake.ts';
import { createOpenImageUrl, type ImageUrlOptions } from './image-urls.ts';
import { createLoadImages } from './load-images.ts';
import { createProblems } from './problems.ts';
import { readForm } from './read-form.ts';
import { readJson } from './read-json.ts';
import { createRequestBody } from './request-body.ts';
import { toWireError } from './wire-names.ts';

/** An edit as a client of the OpenAI API requested it, with its images. */
export interface ReceivedEdit {
  /** In the input shape of `Edits.create`, not checked unless `check` was given. */
  readonly params: EditParamsInput;
  /** In the order of the edit. */
  readonly images: readonly InputImage[];
  readonly mask: InputImage | null;
  /** Whether the response is to be an event stream. */
  readonly isStreamed: boolean;
  /** An InvalidInputError with the names of this request's fields; other errors as they are. */
  wireError(error: unknown): unknown;
  /** Removes the staged files that were not moved to the blob store. Idempotent. */
  discard(): Promise<void>;
}

export interface ReceiveContext {
  readonly viewer: Viewer;
  /** The model of a request that names none, such as Azure's deployment. Null: the server's. */
  readonly model: string | null;
  readonly signal: AbortSignal;
  /**
   * Further checks, before images are looked up or downloaded. Its InvalidInputError is reported
   * together with the other problems.
   */
  readonly check?: (edit: EditParamsInput & { readonly imageCount: number }) => unknown;
}

/**
 * Receives the request of an edit: a form, or JSON. The images stream into staging one after the
 * other, so that memory does not depend on their size. If it throws, no staged file remains, and the
 * rest of the body is read and dropped.
 *
 * @throws UnreadableBodyError (400, 413, 415); UnavailableError if too much is being uploaded;
 *   InvalidInputError with all problems under the names of the request's fields; NotFoundError;
 *   StorageError; the signal's reason.
 */
export type ReceiveEdit = (
  req: IncomingMessage,
  res: ServerResponse,
  context: ReceiveContext,
) => Promise<ReceivedEdit>;

export function createReceiveEdit(options: {
  images: Pick<Images, 'find'>;
  uploads: Pick<Uploads, 'receive'>;
  /** Shared by all routes that receive uploads. */
  takePlace: TakePlace;
  /** Maximum size of an image, inclusive. */
  maxFileBytes: number;
  /** How linked images are downloaded. */
  links: Omit<ImageUrlOptions, 'maxBytes'>;
}): ReceiveEdit {
  const { images, uploads, takePlace, maxFileBytes, links } = options;
  const openImageUrl = createOpenImageUrl({ ...links, maxBytes: maxFileBytes });
  const loadImages = createLoadImages({ images, openImageUrl });

  return async (req, res, { viewer, model, signal, check }) => {
    const format = bodyFormat(req, maxFileBytes);
    takePlace(req, res);
    const { maxBytes, spelling } = format;
    const body = createRequestBody(req, { maxBytes, signal });
    const intake = createImageIntake({ uploads, signal });
    const problems = createProblems();
    try {
      const content = await (format.spelling === 'form'
        ? readForm(body, { boundary: format.boundary, intake, problems })
        : readJson(body, { intake, problems }));
      const { params, isStreamed } = toEditParams(content.values, { model, problems });
      const { mask } = content;
      try {
        check?.({ ...params, imageCount: content.images.length });
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        problems.add(toWireError(error, spelling));
      }
      problems.throwIfAny();
      const sources = mask === null ? content.images : [...content.images, mask];
      const loaded = await loadImages(sources, { viewer, intake, problems, signal });
      return {
        params,
        isStreamed,
        images: loaded.slice(0, content.images.length),
        mask: mask === null ? null : (loaded.at(-1) ?? null),
        wireError: (error) => toWireError(error, spelling),
        discard: intake.discard,
      };
    } catch (error) {
      await intake.discard();
      throw toWireError(error, spelling);
    } finally {
      body.drop();
    }
  };
}
