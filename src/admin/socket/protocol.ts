import { z } from 'zod';
import {
  ForbiddenError,
  type InvalidInputCode,
  InvalidInputError,
  NotFoundError,
  RetouchError,
  StorageError,
  UnavailableError,
} from '../../errors.ts';

/**
 * One command is one request: `POST /<command>` with its input as JSON. The response has a line of
 * JSON for each note, each step of its progress and each part of what it writes, and a last one with
 * the result or the error.
 */
const errorSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('InvalidInputError'),
    problems: z
      .array(z.object({ field: z.string(), code: z.string(), message: z.string() }))
      .min(1),
  }),
  z.object({ kind: z.literal('NotFoundError'), resource: z.string(), id: z.string() }),
  z.object({
    kind: z.literal('UnavailableError'),
    message: z.string(),
    retryAfterSeconds: z.number(),
  }),
  z.object({
    kind: z.enum(['ForbiddenError', 'StorageError', 'InternalError']),
    message: z.string(),
  }),
]);

type EncodedError = z.output<typeof errorSchema>;

const lineSchema = z.union([
  z.object({ note: z.string() }),
  z.object({
    progress: z.object({ what: z.string(), done: z.int(), total: z.int().nullable() }),
  }),
  z.object({ text: z.string() }),
  z.object({ result: z.unknown() }).refine((line) => 'result' in line),
  z.object({ error: errorSchema }),
]);

export type ResponseLine = z.output<typeof lineSchema>;

/** @throws ZodError or SyntaxError for a line of another version. */
export function parseLine(text: string): ResponseLine {
  return lineSchema.parse(JSON.parse(text));
}

/** The running service could not run a command. The message says what to do. */
export class ServiceFailedError extends RetouchError {
  readonly code = 'SERVICE_FAILED';
}

/** Null for a defect, whose message must not leave the service. */
export function encodeError(error: unknown): EncodedError | null {
  if (error instanceof InvalidInputError) {
    return { kind: 'InvalidInputError', problems: [...error.problems] };
  }
  if (error instanceof NotFoundError) {
    return { kind: 'NotFoundError', resource: error.resource, id: error.id };
  }
  if (error instanceof UnavailableError) {
    const { message, retryAfterSeconds } = error;
    return { kind: 'UnavailableError', message, retryAfterSeconds };
  }
  if (error instanceof ForbiddenError) return { kind: 'ForbiddenError', message: error.message };
  if (error instanceof StorageError) return { kind: 'StorageError', message: error.message };
  return null;
}

export const INTERNAL_ERROR: EncodedError = {
  kind: 'InternalError',
  message: 'The command failed in the running service: its log has the error.',
};

/** The error that the service threw, of the same class. */
export function decodeError(error: EncodedError): Error {
  switch (error.kind) {
    case 'InvalidInputError': {
      const problems = error.problems.map((one) => ({
        ...one,
        code: one.code as InvalidInputCode,
      }));
      const [first, ...others] = problems;
      if (first === undefined) throw new TypeError('an invalid input has no problem');
      return new InvalidInputError(first.field, first.code, first.message, { others });
    }
    case 'NotFoundError':
      return new NotFoundError(error.resource, error.id);
    case 'UnavailableError':
      return new UnavailableError(error.message, error.retryAfterSeconds);
    case 'ForbiddenError':
      return new ForbiddenError(error.message);
    case 'StorageError':
      return new StorageError(error.message);
    case 'InternalError':
      return new ServiceFailedError(error.message);
  }
}
