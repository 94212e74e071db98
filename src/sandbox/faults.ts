import { z } from 'zod';
import { InvalidInputError } from '../errors.ts';

const milliseconds = z.int().min(0).max(3_600_000);

/**
 * The faults that the sandbox can simulate. Each applies to one POST to the edits route, in the
 * order they were queued. "Billed" means that the real API would have billed the edit.
 */
const faultSchema = z.discriminatedUnion('kind', [
  /** Reads everything and never responds. Billed. */
  z.strictObject({ kind: z.literal('hang') }),
  /** A TCP reset: after the whole body (billed), or at once without reading it (not billed). */
  z.strictObject({
    kind: z.literal('reset'),
    when: z.enum(['after-body', 'before-body']).default('after-body'),
  }),
  /** 200 with the full content-length, half of the bytes, then the connection ends. Billed. */
  z.strictObject({ kind: z.literal('truncate') }),
  /** 429. `retryAfter` is the header as sent: seconds or an HTTP date; null omits it. */
  z.strictObject({
    kind: z.literal('rate_limit'),
    retryAfter: z.union([z.string(), z.number()]).nullable().default(1),
  }),
  /**
   * A 5xx. Not billed if the API itself says so in JSON, and for any 503; billed for 502, 504 and
   * 520-529, which only proxies send, and for an error page.
   */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(500).max(599).default(500),
    body: z.enum(['json', 'html', 'none']).default('json'),
    retryAfter: z.union([z.string(), z.number()]).nullable().default(null),
  }),
  /** 400 `moderation_blocked`. Not billed. */
  z.strictObject({ kind: z.literal('moderation') }),
  /** 429 `insufficient_quota`. Not billed. */
  z.strictObject({ kind: z.literal('quota') }),
  /** 401 `invalid_api_key`. Not billed. */
  z.strictObject({ kind: z.literal('auth') }),
  /** 404 `model_not_found`. Not billed. */
  z.strictObject({ kind: z.literal('no_model') }),
  /** 307 to `location`, by default this very route. Not billed. */
  z.strictObject({ kind: z.literal('redirect'), location: z.string().default('/v1/images/edits') }),
  /** 200 with a web page. Billed. */
  z.strictObject({ kind: z.literal('html') }),
  /** 200 with invalid JSON. Billed. */
  z.strictObject({ kind: z.literal('not_json') }),
  /** `data: []`; a stream ends without an image. Billed. */
  z.strictObject({ kind: z.literal('empty_data') }),
  /** `b64_json` is not base64. Billed. */
  z.strictObject({ kind: z.literal('bad_base64') }),
  /** `b64_json` is valid base64 of plain text. Billed. */
  z.strictObject({ kind: z.literal('not_an_image') }),
  /** No `usage`. Billed. */
  z.strictObject({ kind: z.literal('no_usage') }),
  /** `usage` has `times` as many tokens. Billed. */
  z.strictObject({ kind: z.literal('more_usage'), times: z.int().min(1).max(1_000) }),
  /** `data[].url` instead of `b64_json`: `url`, or the image on this server. Billed. */
  z.strictObject({ kind: z.literal('url'), url: z.string().optional() }),
  /** The response arrives slowly. Billed. */
  z.strictObject({ kind: z.literal('slow'), bytesPerSecond: z.int().min(1).default(65_536) }),
  /** The response begins with `bytes` of padding. Billed. */
  z.strictObject({
    kind: z.literal('huge'),
    bytes: z
      .int()
      .min(1)
      .max(1024 ** 3)
      .default(50 * 1024 * 1024),
  }),
  /** Pretty-printed, with every slash of the base64 escaped. Billed. */
  z.strictObject({ kind: z.literal('newlines') }),
  /** Another delay for this request. Billed. */
  z.strictObject({ kind: z.literal('delay'), delayMs: milliseconds }),
]);

export type Fault = z.output<typeof faultSchema>;
/** A fault as requested: everything but `kind` has a default. */
export type FaultInput = z.input<typeof faultSchema>;

export interface Faults {
  /** Appends to the queue. @throws InvalidInputError and queues none if one is invalid. */
  push(...faults: FaultInput[]): void;
  clear(): void;
  /** Number of queued faults. */
  readonly size: number;
}

export interface FaultQueue extends Faults {
  /** Removes and returns the next fault. */
  take(): Fault | null;
}

export function createFaultQueue(): FaultQueue {
  const queue: Fault[] = [];
  return {
    push(...faults) {
      queue.push(...parseFaults(faults));
    },
    clear() {
      queue.length = 0;
    },
    get size() {
      return queue.length;
    },
    take: () => queue.shift() ?? null,
  };
}

/** @throws InvalidInputError if `value` is not an array of faults. */
function parseFaults(value: unknown): Fault[] {
  const parsed = z.array(faultSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = ['faults', ...(issue?.path ?? [])].join('.');
  throw new InvalidInputError(path, 'INVALID_VALUE', `${path}: ${issue?.message ?? 'invalid'}`);
}
