import { Prisma } from '../database/database.ts';

/** What decides which limits apply to an edit. */
export interface LimitedEdit {
  readonly ownerId: string;
  /** The API key that submits it, and the keys that created that key. Empty: none. */
  readonly apiKeyIds: readonly string[];
  readonly metadata: Prisma.InputJsonObject;
}

/**
 * The one rule for which limits apply to an edit, in SQL: whether the limit of the row `"Limit"`
 * applies to the edit of the row `job`. Metadata is compared as text, so that a number cannot bypass
 * the limit of the same digits.
 */
export const APPLIES = Prisma.sql`(
  ("Limit".subject = 'OWNER' AND "Limit"."ownerId" = job."ownerId")
  OR ("Limit".subject = 'API_KEY' AND "Limit"."apiKeyId" = ANY (job."apiKeyIds"))
  OR ("Limit".subject = 'METADATA' AND job.metadata ->> "Limit"."metadataKey" = "Limit"."metadataValue"
    AND coalesce("Limit"."ownerId" = job."ownerId", TRUE))
)`;

/** An edit that has no row yet, as the row `job`. */
export const asJob = ({ ownerId, apiKeyIds, metadata }: LimitedEdit): Prisma.Sql => Prisma.sql`(
  SELECT ${ownerId}::text AS "ownerId", ${[...apiKeyIds]}::uuid[] AS "apiKeyIds",
    ${JSON.stringify(metadata)}::jsonb AS metadata
) AS job`;

/** The columns of a LimitRow. */
export const LIMIT_COLUMNS = Prisma.sql`"Limit".id, "Limit".subject::text, "Limit"."ownerId",
  "Limit"."apiKeyId", "Limit"."metadataKey", "Limit"."metadataValue", "Limit".measure::text,
  "Limit"."window"::text, "Limit"."timeZone", "Limit".amount, "Limit"."windowStart",
  "Limit".settled, "Limit".reserved, "Limit"."createdAt"`;

/** What edits count towards: requests are counted apart. */
export const OF_EDITS = Prisma.sql`"Limit".measure <> 'REQUESTS'`;
