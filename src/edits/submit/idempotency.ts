import { createHash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';
import { ownedBy } from '../../auth/visible.ts';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import { IdempotencyConflictError, InvalidInputError } from '../../errors.ts';

const MAX_KEY_CHARACTERS = 255;

/** A key with the fingerprint of the input that it goes with. */
export interface IdempotencyClaim {
  readonly ownerId: string;
  readonly key: string;
  readonly inputSha256: string;
}

/** @throws InvalidInputError unless the key has 1 to 255 printable characters. Null: no key. */
export function checkIdempotencyKey(key: string | null): void {
  if (key === null) return;
  if (key === '' || key.length > MAX_KEY_CHARACTERS || !/^[^\p{Cc}\p{Cs}]+$/u.test(key)) {
    throw new InvalidInputError(
      'idempotencyKey',
      'INVALID_VALUE',
      `idempotencyKey must have 1 to ${MAX_KEY_CHARACTERS} characters, without control characters.`,
    );
  }
}

/**
 * One fingerprint for equal inputs: parameters as checked, images by their content. Parameters that
 * were not given are left out, so that a new parameter does not change earlier fingerprints.
 */
export function fingerprint({
  params,
  ...input
}: {
  params?: object;
  [part: string]: unknown;
}): string {
  const given = Object.entries(params ?? {}).filter(([, value]) => value !== null);
  return hashOf(params === undefined ? input : { ...input, params: Object.fromEntries(given) });
}

function hashOf(input: object): string {
  return createHash('sha256').update(stringify(input)).digest('hex');
}

/**
 * The job that the key stands for, or null when it is new.
 * @throws IdempotencyConflictError when it was used with another input, or that job was deleted: a
 * request that is repeated must neither be paid again nor find what is gone.
 */
export async function findClaimed(
  prisma: PrismaClient,
  { ownerId, key, inputSha256: sha256 }: IdempotencyClaim,
): Promise<{ id: string } | null> {
  const claimed = await prisma.idempotencyKey.findUnique({
    where: { ownerId_key: { ...ownedBy(ownerId), key } },
    include: { job: { select: { deletedAt: true } } },
  });
  if (claimed === null) return null;
  if (claimed.inputSha256 !== sha256) throw new IdempotencyConflictError(key);
  if (claimed.job.deletedAt !== null) throw new IdempotencyConflictError(key, { isDeleted: true });
  return { id: claimed.jobId };
}

/** Somebody else has claimed the key: the transaction must be rolled back. */
export class AlreadyClaimedError extends Error {}

/**
 * Claims the key for a job that the same transaction writes. Waits for another transaction that is
 * claiming it.
 * @throws AlreadyClaimedError
 */
export async function claim(
  tx: Transaction,
  claimed: IdempotencyClaim,
  jobId: string,
): Promise<void> {
  const { count } = await tx.idempotencyKey.createMany({
    data: { ...claimed, jobId },
    skipDuplicates: true,
  });
  if (count === 0) throw new AlreadyClaimedError();
}
