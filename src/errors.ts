/**
 * A deliberate error of Retouch. Any other error is a defect: one boundary (HTTP) logs it in full
 * and shows the client an internal error without its message.
 */
export abstract class RetouchError extends Error {
  /** Machine-readable, UPPER_SNAKE_CASE, stable across releases. */
  abstract readonly code: string;
  /** Status of an HTTP response that reports it. Null: clients see an internal error instead. */
  readonly responseStatus: number | null = null;
  /** Seconds after which a client may try again. Null: unknown, or it makes no difference. */
  readonly retryAfterSeconds: number | null = null;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The kinds of problem that an input can have, with their descriptions in the GraphQL schema. */
export const INVALID_INPUT_CODES = {
  REQUIRED: 'A required value is missing or empty.',
  TOO_SMALL: 'A number, a length or a file is below the minimum.',
  TOO_LARGE: 'A number, a length or a file is above the maximum.',
  TOO_MANY: 'There are too many items.',
  UNSUPPORTED_FORMAT: 'The file is not an image in a supported format.',
  UNSUPPORTED_VALUE:
    'The value is well-formed but not supported by the model, with the other fields, or by this server.',
  BROKEN_IMAGE: 'The image is damaged or incomplete.',
  DIMENSION_MISMATCH: 'The dimensions of the mask differ from those of the first image.',
  INVALID_VALUE: 'The value is malformed, or not allowed in this field.',
} as const;

export type InvalidInputCode = keyof typeof INVALID_INPUT_CODES;

/** One thing that the client can fix. */
export interface InputProblem {
  /** Path into the input: `images[2]`, `mask`, `size`. */
  readonly field: string;
  readonly code: InvalidInputCode;
  /** Names the field and the limit. */
  readonly message: string;
}

/**
 * The input is invalid, and the client can fix it. `problems` has everything that was found, in the
 * order of the input's fields; the first is also this error's `field`, `code` and `message`.
 */
export class InvalidInputError extends RetouchError {
  readonly field: string;
  readonly code: InvalidInputCode;
  readonly problems: readonly InputProblem[];
  override readonly responseStatus = 400;

  constructor(
    field: string,
    code: InvalidInputCode,
    message: string,
    { others = [], ...options }: ErrorOptions & { others?: readonly InputProblem[] } = {},
  ) {
    super(message, options);
    this.field = field;
    this.code = code;
    this.problems = [{ field, code, message }, ...others];
  }
}

/**
 * Runs every check and returns the results under the same keys. A check throws an InvalidInputError
 * for what it finds invalid; the others run all the same.
 * @throws InvalidInputError with the problems of all checks, in their order; anything else that a
 * check throws, at once.
 */
export function checkAll<Checks extends Readonly<Record<string, () => unknown>>>(
  checks: Checks,
): { readonly [Name in keyof Checks]: ReturnType<Checks[Name]> } {
  const failed: InvalidInputError[] = [];
  const results = Object.entries(checks).map(([name, check]) => {
    try {
      return [name, check()];
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      failed.push(error);
      return [name, undefined];
    }
  });
  const joined = joinProblems(failed);
  if (joined !== null) throw joined;
  return Object.fromEntries(results);
}

/** As `checkAll`, with one check for every item of a list. */
export function checkEach<Item>(
  items: readonly Item[],
  check: (item: Item, index: number) => void,
): void {
  checkAll(Object.fromEntries(items.map((item, index) => [index, () => check(item, index)])));
}

/** One error with the problems of all. Null: there is none. */
export function joinProblems(errors: readonly InvalidInputError[]): InvalidInputError | null {
  const [first] = errors;
  if (first === undefined) return null;
  const { field, code, message, cause } = first;
  const [, ...others] = errors.flatMap(({ problems }) => problems);
  return new InvalidInputError(field, code, message, { others, cause });
}

/** The body of a request cannot be read at all: its type, its length or its syntax is wrong. */
export class UnreadableBodyError extends RetouchError {
  readonly code: 'BAD_REQUEST' | 'PAYLOAD_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE';
  override readonly responseStatus: 400 | 413 | 415;

  constructor(message: string, code: UnreadableBodyError['code'] = 'BAD_REQUEST') {
    super(message);
    this.code = code;
    this.responseStatus = UNREADABLE_STATUS[code];
  }
}

const UNREADABLE_STATUS = {
  BAD_REQUEST: 400,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
} as const;

/** Absent, or another owner's: the two look the same on purpose. */
export class NotFoundError extends RetouchError {
  readonly code = 'NOT_FOUND';
  override readonly responseStatus = 404;
  readonly resource: string;
  readonly id: string;

  constructor(resource: string, id: string) {
    super(`${resource} ${JSON.stringify(id)} does not exist, or is not yours.`);
    this.resource = resource;
    this.id = id;
  }
}

/** The key was used with a different input, or belongs to a deleted edit. */
export class IdempotencyConflictError extends RetouchError {
  readonly code = 'IDEMPOTENCY_CONFLICT';
  override readonly responseStatus = 422;
  readonly idempotencyKey: string;

  constructor(idempotencyKey: string, { isDeleted = false } = {}) {
    super(
      isDeleted
        ? 'This idempotency key belongs to a deleted edit. Use a new key.'
        : 'This idempotency key was already used with a different input. Use a new key.',
    );
    this.idempotencyKey = idempotencyKey;
  }
}

/** An edit or a request exceeds a limit that applies to it. Nothing was enqueued or sent. */
export class LimitExceededError extends RetouchError {
  readonly code = 'LIMIT_EXCEEDED';
  override readonly responseStatus = 429;
  override readonly retryAfterSeconds: number | null;
  readonly limitId: string;
  readonly measure: 'COST' | 'TOKENS' | 'EDITS' | 'IMAGES' | 'CONCURRENT_EDITS' | 'REQUESTS';
  /** In the smallest unit of the measure, such as micro-dollars. */
  readonly limit: bigint;
  /** Used and reserved in the current window. */
  readonly used: bigint;
  readonly remaining: bigint;
  /** Null if the limit never resets. */
  readonly resetsAt: Date | null;

  constructor(
    message: string,
    details: Pick<
      LimitExceededError,
      'limitId' | 'measure' | 'limit' | 'used' | 'remaining' | 'resetsAt' | 'retryAfterSeconds'
    >,
  ) {
    super(message);
    this.limitId = details.limitId;
    this.measure = details.measure;
    this.limit = details.limit;
    this.used = details.used;
    this.remaining = details.remaining;
    this.resetsAt = details.resetsAt;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The edit is final, so it cannot be canceled. */
export class JobNotCancelableError extends RetouchError {
  readonly code = 'JOB_NOT_CANCELABLE';
  override readonly responseStatus = 409;
  readonly status: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN' | 'CANCELED';

  constructor(status: JobNotCancelableError['status']) {
    super(`The edit is ${status}, a final status, so it cannot be canceled.`);
    this.status = status;
  }
}

/** The edit's outcome is known, so its response is not read again. */
export class JobNotRereadableError extends RetouchError {
  readonly code = 'JOB_NOT_REREADABLE';
  override readonly responseStatus = 409;
  readonly status: JobNotCancelableError['status'];

  constructor(status: JobNotRereadableError['status']) {
    super(
      `The edit is ${status}. Only the response of an edit that is OUTCOME_UNKNOWN can be read again.`,
    );
    this.status = status;
  }
}

/** The edit's cost is known, or will be when it ends. */
export class JobNotResolvableError extends RetouchError {
  readonly code = 'JOB_NOT_RESOLVABLE';
  override readonly responseStatus = 409;
  readonly status: JobNotCancelableError['status'];

  constructor(status: JobNotResolvableError['status']) {
    super(
      `The edit is ${status}, and its cost is not in doubt. Only an edit that may have been paid at an unknown cost can be resolved.`,
    );
    this.status = status;
  }
}

/** No response of the edit is stored. */
export class AnswerNotFoundError extends RetouchError {
  readonly code = 'ANSWER_NOT_FOUND';
  override readonly responseStatus = 404;

  constructor() {
    super(
      'No response of this edit is stored: none arrived, or it was removed after ANSWER_RETENTION_DAYS.',
    );
  }
}

/** This version cannot read an image from the stored response. The response remains stored. */
export class AnswerUnreadableError extends RetouchError {
  readonly code = 'ANSWER_UNREADABLE';
  override readonly responseStatus = 422;

  constructor(reason: string) {
    super(`The stored response cannot be read: ${reason}`);
  }
}

/** The edit is not final, so it cannot be deleted yet. */
export class JobNotDeletableError extends RetouchError {
  readonly code = 'JOB_NOT_DELETABLE';
  override readonly responseStatus = 409;
  readonly status: JobNotCancelableError['status'];

  constructor(status: JobNotDeletableError['status']) {
    super(`The edit is ${status}. Cancel it with cancelEdit before you delete it.`);
    this.status = status;
  }
}

/** The service cannot process this now; the client may retry after `retryAfterSeconds`. */
export class UnavailableError extends RetouchError {
  readonly code = 'UNAVAILABLE';
  override readonly responseStatus = 503;
  override readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The request has no valid credentials. */
export class UnauthenticatedError extends RetouchError {
  readonly code = 'UNAUTHENTICATED';
  override readonly responseStatus = 401;
}

/** The viewer may not do this. */
export class ForbiddenError extends RetouchError {
  readonly code = 'FORBIDDEN';
  override readonly responseStatus = 403;
}

/** The server's operator must change a setting, which the message names. */
export class NotConfiguredError extends RetouchError {
  readonly code = 'NOT_CONFIGURED';
  override readonly responseStatus = 501;
}

/** A subscriber did not read its events in time. It may subscribe again. */
export class SubscriptionDroppedError extends RetouchError {
  readonly code = 'SUBSCRIPTION_DROPPED';
  override readonly responseStatus = 503;

  constructor(pending: number) {
    super(
      `The subscription was closed because ${pending} events were not read in time. Subscribe again.`,
    );
  }
}

/** The owner has too many subscriptions and sockets open at this process. */
export class TooManyStreamsError extends RetouchError {
  readonly code = 'TOO_MANY_STREAMS';
  override readonly responseStatus = 429;

  constructor(max: number) {
    super(
      `An owner may have at most ${max} sockets, and subscriptions over HTTP, open at one process. Close one first.`,
    );
  }
}

/** The disk or the object store failed to store or read a file. Nothing of it was stored. */
export class StorageError extends RetouchError {
  readonly code = 'STORAGE_UNAVAILABLE';
  override readonly responseStatus = 503;
  override readonly retryAfterSeconds = 30;
}

/** The address of an outbound host is not public. No connection was made. */
export class AddressRefusedError extends RetouchError {
  readonly code = 'ADDRESS_REFUSED';
  readonly host: string;
  readonly address: string;

  constructor(host: string, address: string) {
    super(`${host} is not allowed: ${address} is not a public address.`);
    this.host = host;
    this.address = address;
  }
}

/** The configuration is invalid. Each problem names its variable and says what to set. */
export class ConfigError extends RetouchError {
  readonly code = 'INVALID_CONFIGURATION';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Retouch cannot start:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Something outside the service prevents the start. The message is one sentence that names the
 * setting; no stack is shown.
 */
export class StartError extends RetouchError {
  readonly code = 'CANNOT_START';
  /** Whether a later start with the same settings may succeed. */
  readonly isTemporary: boolean;

  constructor(message: string, { isTemporary, cause }: { isTemporary: boolean; cause?: unknown }) {
    super(`Retouch cannot start: ${message}`, { cause });
    this.isTemporary = isTemporary;
  }
}
