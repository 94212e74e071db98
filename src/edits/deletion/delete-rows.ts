import { ofAllOwners } from '../../auth/visible.ts';
import { Prisma, type Transaction } from '../../database/database.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import { lockContents } from '../../images/storage/content-locks.ts';
import { FINAL_STATUSES } from '../edit-status.ts';

/** Minimum lifetime of an idempotency key. */
export const KEY_HOURS = 24;

export interface DeletedRows {
  readonly jobs: readonly { readonly id: string; readonly ownerId: string }[];
  readonly attemptIds: readonly string[];
  /** Keys of the blobs whose row was deleted. */
  readonly keys: readonly string[];
}

interface LockedJob {
  readonly id: string;
  readonly ownerId: string;
  readonly promptId: string | null;
  readonly isDeleted: boolean;
}

/**
 * Deletes the content of edits that are final and in the history: prompt, images, metadata, responses
 * and messages. Owner, model, usage and cost stay. Locks prompts, then jobs, then contents, each in
 * order, as all other transactions do.
 */
export async function deleteRows(tx: Transaction, ids: readonly string[]): Promise<DeletedRows> {
  const jobs = await lockJobs(tx, ids);
  const jobIds = asUuids(jobs.map(({ id }) => id));
  if (jobs.length === 0) return { jobs, attemptIds: [], keys: [] };
  const keys = await deleteImages(tx, jobIds);
  await clearJobs(tx, jobIds);
  await releasePrompts(tx, jobs);
  const attempts = await ofAllOwners(tx).$queryRaw<{ id: string }[]>`
    UPDATE "EditAttempt" SET answer = NULL, "errorMessage" = NULL, "answerStoredAt" = NULL,
      "moderationDetails" = NULL
    WHERE "jobId" = ANY (${jobIds}) RETURNING id`;
  await ofAllOwners(tx).$executeRaw`DELETE FROM "EditResponse" WHERE "jobId" = ANY (${jobIds})`;
  await ofAllOwners(tx).$executeRaw`DELETE FROM "WebhookDelivery" WHERE "jobId" = ANY (${jobIds})`;
  await forgetKeys(
    tx,
    jobs.map(({ id }) => id),
  );
  return { jobs, attemptIds: attempts.map(({ id }) => id), keys };
}

/** Deletes the idempotency keys of these edits that are old enough. */
export async function forgetKeys(
  tx: Pick<Transaction, '$executeRaw'>,
  jobIds: readonly string[],
): Promise<void> {
  await ofAllOwners(tx).$executeRaw`
    DELETE FROM "IdempotencyKey"
    WHERE "jobId" = ANY (${asUuids(jobIds)})
      AND "createdAt" <= now() - make_interval(hours => ${KEY_HOURS}::int)`;
}

/** Also locks their retries, which lose their link. */
async function lockJobs(tx: Transaction, ids: readonly string[]): Promise<LockedJob[]> {
  const asked = asUuids(ids);
  await ofAllOwners(tx).$executeRaw`
    SELECT FROM "Prompt"
    WHERE id IN (SELECT "promptId" FROM "EditJob" WHERE id = ANY (${asked}))
    ORDER BY id FOR UPDATE`;
  const locked = await ofAllOwners(tx).$queryRaw<LockedJob[]>`
    SELECT id, "ownerId", "promptId",
      id = ANY (${asked}) AND "deletedAt" IS NULL
        AND status = ANY (${[...FINAL_STATUSES]}::text[]::"EditStatus"[]) AS "isDeleted"
    FROM "EditJob" WHERE id = ANY (${asked}) OR "retryOfId" = ANY (${asked})
    ORDER BY id FOR NO KEY UPDATE`;
  return locked.filter(({ isDeleted }) => isDeleted);
}

/** Deletes their links, and each image that no other edit has. Returns the keys of its blobs. */
async function deleteImages(tx: Transaction, jobIds: Prisma.Sql): Promise<string[]> {
  const linked = await ofAllOwners(tx).$queryRaw<{ id: string; ownerId: string; sha256: string }[]>`
    SELECT id, "ownerId", sha256 FROM "Image"
    WHERE id IN (SELECT "imageId" FROM "EditJobImage" WHERE "jobId" = ANY (${jobIds}))`;
  if (linked.length === 0) return [];
  await lockContents(tx, linked.map(blobKey), 'exclusive');
  await ofAllOwners(tx).$executeRaw`DELETE FROM "EditJobImage" WHERE "jobId" = ANY (${jobIds})`;
  const deleted = await ofAllOwners(tx).$queryRaw<{ ownerId: string; sha256: string }[]>`
    DELETE FROM "Image" AS image
    WHERE id = ANY (${asUuids(linked.map(({ id }) => id))}) AND NOT EXISTS (
      SELECT FROM "EditJobImage" WHERE "imageId" = image.id
    )
    RETURNING "ownerId", sha256`;
  return deleted.map(blobKey);
}

async function clearJobs(tx: Transaction, jobIds: Prisma.Sql): Promise<void> {
  await ofAllOwners(tx).$executeRaw`
    UPDATE "EditJob" SET "deletedAt" = now(), "promptId" = NULL, "retryOfId" = NULL,
      metadata = '{}', "extraParams" = NULL, "errorMessage" = NULL,
      "answerRevisedPrompt" = NULL
    WHERE id = ANY (${jobIds})`;
  await ofAllOwners(tx).$executeRaw`
    UPDATE "EditJob" SET "retryOfId" = NULL WHERE "retryOfId" = ANY (${jobIds})`;
}

/** Reduces the uses of their prompts; deletes those without uses, and with them their search index. */
async function releasePrompts(tx: Transaction, jobs: readonly LockedJob[]): Promise<void> {
  const promptIds = jobs.flatMap(({ promptId }) => promptId ?? []);
  await ofAllOwners(tx).$executeRaw`
    DELETE FROM "Prompt" AS prompt WHERE id = ANY (${asUuids(promptIds)}) AND NOT EXISTS (
      SELECT FROM "EditJob" WHERE "promptId" = prompt.id
    )`;
  await ofAllOwners(tx).$executeRaw`
    UPDATE "Prompt" AS prompt SET
      uses = prompt.uses - released.uses,
      "lastUsedAt" = coalesce(
        (SELECT max("createdAt") FROM "EditJob" WHERE "promptId" = prompt.id), prompt."lastUsedAt"
      )
    FROM (
      SELECT id, count(*)::int AS uses FROM unnest(${asUuids(promptIds)}) AS id GROUP BY id
    ) AS released
    WHERE prompt.id = released.id`;
}

const asUuids = (ids: readonly string[]) => Prisma.sql`${[...ids]}::text[]::uuid[]`;
