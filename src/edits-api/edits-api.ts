import type { ReceivedImage } from '../images/images.ts';
import type { StagedFile } from '../images/storage/staging.ts';

/** One image of a request. Its bytes are read only when they are sent. */
export interface EditsApiFile {
  /** Generated (`image-1.png`), never the client's. */
  readonly filename: string;
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  readonly bytes: number;
  /** A chunk is valid until the next one is requested. Aborting the call destroys a stream. */
  open(): AsyncIterable<Uint8Array>;
}

export interface EditsApiRequest {
  /** 1-16, in order. */
  readonly images: readonly EditsApiFile[];
  readonly mask?: EditsApiFile;
  /** Form fields with the API's own names and values (`prompt`, `model`, `output_format` …). */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A successful response, with each image decoded to a complete staged file. */
export interface EditsApiAnswer {
  readonly httpStatus: number;
  /** `x-request-id` of the response. */
  readonly upstreamRequestId: string | null;
  /** At least one, possibly fewer than requested; the caller stores or discards each. */
  readonly images: readonly ReceivedImage[];
  /**
   * The response as JSON without its images (`b64_json` is dropped), as far as it arrived:
   * `created`, `usage`, `size`, `quality`, `background`, `output_format` and any other field.
   * `usage` is here wherever the API put it.
   */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Receives a partial image and owns its file from then on. `index` counts from 0 in order of
 * arrival. Must not throw.
 */
export type OnPartialImage = (image: StagedFile, index: number) => void;

export interface EditsApiCall {
  /** Aborting ends the call as `ABORTED`, with an unknown outcome once the request was sent. */
  readonly signal?: AbortSignal;
  /** From now to the last byte of the response. Downloads of linked images have their own limit. */
  readonly timeoutMs: number;
  /** Called for each partial image while a streamed response arrives. */
  readonly onPartialImage?: OnPartialImage;
  /**
   * Called when the response has arrived and is stored, and only linked images remain to be
   * downloaded: `readSaved` can repeat that at any time.
   */
  readonly onReceived?: () => void;
  /** Where to store the raw response before it is parsed. The caller removes it. */
  readonly rawAnswerPath: string;
}

/** The stored response of an earlier call. */
export interface SavedAnswer {
  /** Its bytes from the start. Errors are passed on. */
  readonly bytes: AsyncIterable<Buffer>;
  /** Number of requested images. */
  readonly expectedImages: number;
  readonly signal: AbortSignal;
  /** As in a call. */
  readonly onReceived?: () => void;
}

/**
 * Reads a stored response again. Sends no edit, but downloads linked images.
 * @throws EditsApiError if it has no usable image: the error that it reports, or BROKEN_ANSWER; the
 *   signal's reason when aborted.
 */
export type ReadSaved = (answer: SavedAnswer) => Promise<EditsApiAnswer>;

/** The only way to an upstream. */
export interface EditsApi {
  /**
   * Sends exactly one POST: never retries, never follows a redirect.
   * @throws EditsApiError with its outcome; staged files are then discarded, the raw response
   *   remains.
   */
  edit(request: EditsApiRequest, call: EditsApiCall): Promise<EditsApiAnswer>;
  readonly readSaved: ReadSaved;
  /** Closes idle connections. */
  close(): Promise<void>;
}
