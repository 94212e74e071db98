/** What an error code implies, wherever it is handled. */
interface EditErrorTraits {
  /** Description in the GraphQL schema. */
  readonly description: string;
  /** If the edit was not processed, whether the same edit may succeed later. */
  readonly retryable: boolean;
  /** Whether it concerns every edit at this upstream, so that the upstream is paused. */
  readonly pausesUpstream: boolean;
  /** Whether it counts towards opening the upstream's circuit. */
  readonly countsAsOutage: boolean;
  /** Whether an attempt with this error counts towards MAX_EDIT_ATTEMPTS. */
  readonly usesAttempt: boolean;
  /** For the OpenAI-compatible API. */
  readonly httpStatus: number;
}

const OF_THE_EDIT = {
  retryable: false,
  pausesUpstream: false,
  countsAsOutage: false,
  usesAttempt: true,
} as const;
const OF_THE_ACCOUNT = { ...OF_THE_EDIT, pausesUpstream: true } as const;
const OUTAGE = { ...OF_THE_EDIT, retryable: true, countsAsOutage: true } as const;

/** Why an edit failed, as in `EditError.code`: one entry per code. */
export const EDIT_ERRORS = {
  MODERATION_BLOCKED: {
    ...OF_THE_EDIT,
    description: 'The upstream’s safety system rejected the prompt or an image.',
    httpStatus: 400,
  },
  INSUFFICIENT_QUOTA: {
    ...OF_THE_ACCOUNT,
    description: 'The account at the upstream has no credit left.',
    httpStatus: 429,
  },
  RATE_LIMITED: {
    ...OF_THE_EDIT,
    description: 'The upstream rejected the request because a rate limit was exceeded.',
    retryable: true,
    pausesUpstream: true,
    usesAttempt: false,
    httpStatus: 429,
  },
  AUTHENTICATION_FAILED: {
    ...OF_THE_ACCOUNT,
    description: 'The upstream rejected this server’s key or account.',
    httpStatus: 502,
  },
  FORBIDDEN: {
    ...OF_THE_EDIT,
    description: 'The upstream returned 403 without naming the key or the account as the reason.',
    httpStatus: 403,
  },
  MODEL_NOT_FOUND: {
    ...OF_THE_EDIT,
    description: 'The upstream does not have this model, or this server’s key has no access to it.',
    httpStatus: 404,
  },
  BAD_REQUEST: {
    ...OF_THE_EDIT,
    description: 'The upstream rejected the request, its parameters or its images.',
    httpStatus: 400,
  },
  SERVER_ERROR: {
    ...OUTAGE,
    description: 'The upstream, or a proxy in front of it, returned a server error.',
    httpStatus: 502,
  },
  TIMEOUT: {
    ...OF_THE_EDIT,
    description: 'No complete response arrived before the deadline.',
    httpStatus: 504,
  },
  BROKEN_ANSWER: {
    ...OF_THE_EDIT,
    description: 'A response arrived, but no image could be read from it.',
    httpStatus: 502,
  },
  UNREACHABLE: {
    ...OUTAGE,
    description: 'Could not connect to the upstream.',
    httpStatus: 503,
  },
  CONNECTION_LOST: {
    ...OF_THE_EDIT,
    description: 'The connection was lost after the request was sent.',
    httpStatus: 502,
  },
  CANCELED: {
    ...OF_THE_EDIT,
    description:
      'The edit was canceled while the upstream was processing it. It may have been billed.',
    httpStatus: 409,
  },
  ABORTED: {
    ...OF_THE_EDIT,
    description: 'This server shut down before the response arrived.',
    httpStatus: 500,
  },
  INTERNAL: {
    ...OF_THE_EDIT,
    description:
      'An internal error on this server. Its log contains the reason under the edit’s id.',
    httpStatus: 500,
  },
} as const satisfies Record<string, EditErrorTraits>;

export type EditErrorCode = keyof typeof EDIT_ERRORS;

/** The codes by name. */
export const EditErrorCode = Object.fromEntries(
  Object.keys(EDIT_ERRORS).map((code) => [code, code]),
) as { readonly [Code in EditErrorCode]: Code };

/** Whether a column contains a code of this release. */
export function isEditErrorCode(code: string | null): code is EditErrorCode {
  return code !== null && Object.hasOwn(EDIT_ERRORS, code);
}
