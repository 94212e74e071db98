import type { StagedFile } from '../images/staging.ts';

/** One picture of a request. Its bytes are read when they are sent, never before. */
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

/** What came back, pictures already decoded into staged files. */
export interface EditsApiAnswer {
  readonly httpStatus: number;
  /** `x-request-id` of the answer. */
  readonly upstreamRequestId: string | null;
  /** At least one; the caller puts or discards each. */
  readonly images: readonly StagedFile[];
  /**
   * The whole answer as JSON without the pictures (`b64_json` is dropped): `created`, `usage`,
   * `size`, `quality`, `background`, `output_format` and whatever else the API said.
   */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Takes a picture on the way over: the file is its own from then on. `index` counts from 0, in the
 * order they come. It must not throw.
 */
export type OnPartialImage = (image: StagedFile, index: number) => void;

export interface EditsApiCall {
  /** Aborting ends the call as `ABORTED`, its outcome unknown once the request went out. */
  readonly signal?: AbortSignal;
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Told of each picture on the way, of an answer that is streamed, while the rest still comes. */
  readonly onPartialImage?: OnPartialImage;
  /** Where the answer's bytes are kept as they came, before they are parsed. The caller removes it. */
  readonly rawAnswerPath: string;
}

/** The one way to the upstream. */
export interface EditsApi {
  /**
   * Sends exactly one POST, whatever happens: never a retry, never a redirect.
   * @throws EditsApiError with its outcome; staged files are discarded then, the raw answer stays.
   */
  edit(request: EditsApiRequest, call: EditsApiCall): Promise<EditsApiAnswer>;
  /**
   * Reads an answer again that an earlier call has saved. Sends nothing.
   * @throws EditsApiError BROKEN_ANSWER when it is not whole, or is no answer with pictures.
   */
  readSaved(rawAnswerPath: string, signal: AbortSignal): Promise<EditsApiAnswer>;
  /** Closes idle connections. */
  close(): Promise<void>;
}
