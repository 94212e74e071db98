/**
 * A deliberate error of Retouch. Any other error is a defect: one boundary (HTTP) logs it in full
 * and shows the client an internal error without its message.
 */
export abstract class RetouchError extends Error {
  /** Machine-readable, UPPER_SNAKE_CASE, stable across releases. */
  abstract readonly code: string;
  /** Status of an HTTP response that reports it. Null: clients see an internal error instead. */
  readonly responseStatus: number | null = null;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

export type InvalidInputCode =
  | 'REQUIRED'
  | 'TOO_SMALL'
  | 'TOO_LARGE'
  | 'TOO_MANY'
  | 'UNSUPPORTED_FORMAT'
  | 'UNSUPPORTED_VALUE'
  | 'BROKEN_IMAGE'
  | 'DIMENSION_MISMATCH'
  | 'INVALID_VALUE';

/** The client can fix this: `field` is a path into its input (`images[2]`, `mask`, `size`). */
export class InvalidInputError extends RetouchError {
  readonly field: string;
  readonly code: InvalidInputCode;
  override readonly responseStatus = 400;

  constructor(field: string, code: InvalidInputCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
    this.code = code;
  }
}

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
        ? 'This idempotencyKey belongs to a deleted edit. Use a new key.'
        : 'This idempotencyKey was already used with a different input. Use a new key.',
    );
    this.idempotencyKey = idempotencyKey;
  }
}

/** The edit's maximum cost exceeds its owner's remaining budget. Nothing was enqueued or sent. */
export class BudgetExceededError extends RetouchError {
  readonly code = 'BUDGET_EXCEEDED';
  override readonly responseStatus = 429;
  readonly limitMicroUsd: bigint;
  /** Spent and reserved in this period. */
  readonly usedMicroUsd: bigint;
  /** Null for a total budget, which never resets. */
  readonly resetsAt: Date | null;

  constructor(
    message: string,
    details: Pick<BudgetExceededError, 'limitMicroUsd' | 'usedMicroUsd' | 'resetsAt'>,
  ) {
    super(message);
    this.limitMicroUsd = details.limitMicroUsd;
    this.usedMicroUsd = details.usedMicroUsd;
    this.resetsAt = details.resetsAt;
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
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
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

/** The disk or the object store failed to store or read a file. Nothing of it was stored. */
export class StorageError extends RetouchError {
  readonly code = 'STORAGE_UNAVAILABLE';
  override readonly responseStatus = 503;
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
