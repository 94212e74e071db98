import type { ReceivedImage } from '../images/images.ts';
import type { StagedFile } from '../images/storage/staging.ts';

/** One image of a request. Its bytes are read when they are sent, never before. */
export interface EditsApiFile {
  /** Made by us (`image-1.png`), never the client's. */
  readonly filename: string;
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  readonly bytes: number;
  /** A chunk is valid until the next one is asked for. A stream is destroyed when the call is aborted. */
  open(): AsyncIterable<Uint8Array>;
}

export interface EditsApiRequest {
  /** 1-16, in order. */
  readonly images: readonly EditsApiFile[];
  readonly mask?: EditsApiFile;
  /** Form fields in the API's own names and spelling (`prompt`, `model`, `output_format` …). */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What came back, images already decoded into staged files, each a whole one. */
export interface EditsApiAnswer {
  readonly httpStatus: number;
  /** `x-request-id` of the answer. */
  readonly upstreamRequestId: string | null;
  /** At least one, perhaps fewer than were asked for; the caller puts or discards each. */
  readonly images: readonly ReceivedImage[];
  /**
   * The answer as JSON without the images (`b64_json` is dropped), as far as it came: `created`,
   * `usage`, `size`, `quality`, `background`, `output_format` and whatever else the API said. `usage`
   * is here wherever the API had it.
   */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Takes an image on the way over: the file is its own from then on. `index` counts from 0, in the
 * order they come. It must not throw.
 */
export type OnPartialImage = (image: StagedFile, index: number) => void;

export interface EditsApiCall {
  /** Aborting ends the call as `ABORTED`, its outcome unknown once the request went out. */
  readonly signal?: AbortSignal;
  /** From now to the last byte of the answer. The fetching of images that it points at has its own. */
  readonly timeoutMs: number;
  /** Told of each image on the way, of an answer that is streamed, while the rest still comes. */
  readonly onPartialImage?: OnPartialImage;
  /**
   * Told when the answer has come and is kept, and only images that it points at are still fetched:
   * `readSaved` can do that again at any time.
   */
  readonly onReceived?: () => void;
  /** Where the answer's bytes are kept as they came, before they are parsed. The caller removes it. */
  readonly rawAnswerPath: string;
}

/** An answer that an earlier call has kept. */
export interface SavedAnswer {
  /** Its bytes, from the first one on. Whatever it throws is thrown. */
  readonly bytes: AsyncIterable<Buffer>;
  /** How many images were asked for. */
  readonly expectedImages: number;
  readonly signal: AbortSignal;
  /** As of a call. */
  readonly onReceived?: () => void;
}

/**
 * Reads an answer again. Sends nothing, but fetches images that it points at.
 * @throws EditsApiError when it has no image that can be used: the error that it reports, or
 * BROKEN_ANSWER; the signal's reason when aborted.
 */
export type ReadSaved = (answer: SavedAnswer) => Promise<EditsApiAnswer>;

/** The one way to the upstream. */
export interface EditsApi {
  /**
   * Sends exactly one POST, whatever happens: never a retry, never a redirect.
   * @throws EditsApiError with its outcome; staged files are discarded then, the raw answer stays.
   */
  edit(request: EditsApiRequest, call: EditsApiCall): Promise<EditsApiAnswer>;
  readonly readSaved: ReadSaved;
  /** Closes idle connections. */
  close(): Promise<void>;
}
