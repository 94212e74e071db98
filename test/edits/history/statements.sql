-- The statements of the history, as src/edits/history composes them. Written by
-- `npx vitest run --project unit test/edits/history/statements.test.ts -u`; the test fails if they differ.

-- the first page, newest first

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND TRUE
  ORDER BY key DESC, id DESC
  LIMIT $2) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $3;

-- the page after a cursor

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND (job."createdAt", job.id) < ($2::timestamptz, $3::uuid)
  ORDER BY key DESC, id DESC
  LIMIT $4) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $5;

-- the last rows between two cursors

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND ((job."createdAt", job.id) < ($2::timestamptz, $3::uuid))
  AND (job."createdAt", job.id) > ($4::timestamptz, $5::uuid)
  ORDER BY key ASC, id ASC
  LIMIT $6) AS page
ORDER BY page.key ASC, page.id ASC
LIMIT $7;

-- by cost, after an edit of known cost

SELECT page.id, page.key::text AS key
FROM ((
    SELECT job.id, job."costMicroUsd" AS key, job."promptId"
    FROM "EditJob" AS job
    WHERE "job"."ownerId" = $1
    AND job."deletedAt" IS NULL
    AND (job."costMicroUsd", job.id) < ($2::bigint, $3::uuid)
    ORDER BY key DESC NULLS LAST, id DESC
    LIMIT $4)
  UNION ALL (
    SELECT job.id, job."costMicroUsd" AS key, job."promptId"
    FROM "EditJob" AS job
    WHERE "job"."ownerId" = $5
    AND job."deletedAt" IS NULL
    AND job."costMicroUsd" IS NULL
    ORDER BY key DESC NULLS LAST, id DESC
    LIMIT $6)
  ORDER BY key DESC NULLS LAST, id DESC
  LIMIT $7) AS page
ORDER BY page.key DESC NULLS LAST, page.id DESC
LIMIT $8;

-- by cost, after an edit of unknown cost

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."costMicroUsd" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND job."costMicroUsd" IS NULL
  AND job.id < $2::uuid
  ORDER BY key DESC NULLS LAST, id DESC
  LIMIT $3) AS page
ORDER BY page.key DESC NULLS LAST, page.id DESC
LIMIT $4;

-- every filter but the metadata

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND job.status = ANY ($2::text[]::"EditStatus"[])
  AND job.model = $3::text
  AND (job.size = $4::text OR job."resolvedSize" = $5::text)
  AND job.quality = $6::text
  AND job.upstream = $7::text
  AND job.sandbox = $8
  AND job."createdAt" >= $9::timestamptz
  AND job."createdAt" < $10::timestamptz
  AND job."finishedAt" >= $11::timestamptz
  AND job."finishedAt" < $12::timestamptz
  AND job."totalTokens" >= $13::bigint
  AND job."totalTokens" <= $14::bigint
  AND job."costMicroUsd" >= $15::bigint
  AND job."costMicroUsd" <= $16::bigint
  AND job."errorCode" = $17::text
  AND job."errorCode" IS NOT NULL
  AND job."errorCode" IS NOT NULL
  AND job."promptId" = $18::uuid
  AND EXISTS (
    SELECT 1
    FROM "EditJobImage" AS image
    WHERE image."jobId" = job.id
    AND image."imageId" = $19::uuid
    AND image.role IN ('INPUT', 'MASK')
    AND "image"."ownerId" = $20)
  AND EXISTS (
    SELECT 1
    FROM "EditJobImage" AS image
    WHERE image."jobId" = job.id
    AND image."imageId" = $21::uuid
    AND image.role IN ('OUTPUT')
    AND "image"."ownerId" = $22)
  AND TRUE
  ORDER BY key DESC, id DESC
  LIMIT $23) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $24;

-- metadata that few of the newest edits have

SELECT page.id, page.key::text AS key
FROM (
  SELECT walked.id, walked.key
  FROM (
    SELECT job.id, job."createdAt" AS key, job.metadata
    FROM "EditJob" AS job
    WHERE "job"."ownerId" = $1
    AND job."deletedAt" IS NULL
    AND job.model = $2::text
    AND TRUE
    ORDER BY key DESC, id DESC
    LIMIT $3) AS walked
  WHERE walked.metadata @> $4::jsonb) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $5;

WITH matching AS MATERIALIZED (
  SELECT *
  FROM "editsWithMetadata"($1, $2::jsonb, $3::bigint)) SELECT CASE WHEN (
  SELECT count(*)
  FROM matching) <= $4::bigint
THEN to_json(ARRAY(
    SELECT to_json(found)
    FROM (
      SELECT page.id, page.key::text AS key
      FROM (
        SELECT job.id, job."createdAt" AS key, job."promptId"
        FROM matching AS job
        WHERE "job"."ownerId" = $5
        AND job."deletedAt" IS NULL
        AND job.model = $6::text
        AND TRUE
        ORDER BY key DESC, id DESC
        LIMIT $7) AS page
      ORDER BY page.key DESC, page.id DESC
      LIMIT $8) AS found)) END AS rows;

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND job.model = $2::text
  AND job.metadata @> $3::jsonb
  AND TRUE
  ORDER BY key DESC, id DESC
  LIMIT $4) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $5;

-- a search that finds few prompts

SELECT page.id, page.key::text AS key
FROM (
  SELECT walked.id, walked.key
  FROM (
    SELECT job.id, job."createdAt" AS key, job."promptId"
    FROM "EditJob" AS job
    WHERE "job"."ownerId" = $1
    AND job."deletedAt" IS NULL
    AND TRUE
    ORDER BY key DESC, id DESC
    LIMIT $2) AS walked
  JOIN "PromptSearch" AS search ON search."promptId" = walked."promptId"
  WHERE "search"."ownerId" = $3
  AND strpos(search.text, $4) > 0) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $5;

SELECT id
FROM (
  SELECT "promptsWith"($1, $2::int[], $3, $4::bigint) AS id) AS found;

SELECT page.id, page.key::text AS key
FROM (
  SELECT own.id, own.key
  FROM unnest($1::text[]::uuid[]) AS found(id)
  CROSS JOIN LATERAL (
    SELECT job.id, job."createdAt" AS key, job."promptId"
    FROM "EditJob" AS job
    WHERE ("job"."ownerId" = $2) IS TRUE
    AND job."deletedAt" IS NULL
    AND job."promptId" = found.id
    AND TRUE
    ORDER BY key DESC, id DESC
    LIMIT $3) AS own) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $4;

-- a search that finds many prompts

SELECT page.id, page.key::text AS key
FROM (
  SELECT walked.id, walked.key
  FROM (
    SELECT job.id, job."createdAt" AS key, job."promptId"
    FROM "EditJob" AS job
    WHERE "job"."ownerId" = $1
    AND job."deletedAt" IS NULL
    AND TRUE
    ORDER BY key DESC, id DESC
    LIMIT $2) AS walked
  JOIN "PromptSearch" AS search ON search."promptId" = walked."promptId"
  WHERE "search"."ownerId" = $3
  AND strpos(search.text, $4) > 0) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $5;

SELECT id
FROM (
  SELECT "promptsWith"($1, $2::int[], $3, $4::bigint) AS id) AS found;

SELECT page.id, page.key::text AS key
FROM (
  SELECT job.id, job."createdAt" AS key, job."promptId"
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND (job."promptId" IN (
      SELECT "promptsWith"($2, $3::int[], $4, $5::bigint))) IS TRUE
  AND TRUE
  ORDER BY key DESC, id DESC
  LIMIT $6) AS page
ORDER BY page.key DESC, page.id DESC
LIMIT $7;

-- a count

SELECT count(*)
FROM (
  SELECT 1
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND job.model = $2::text
  LIMIT $3) AS counted;

-- a count by metadata

SELECT count(*) AS matching, count(*) FILTER (WHERE TRUE) AS count
FROM (
  SELECT *
  FROM "editsWithMetadata"($1, $2::jsonb, $3::bigint)) AS job;

-- a count of a search that finds few prompts

SELECT id
FROM (
  SELECT "promptsWith"($1, $2::int[], $3, $4::bigint) AS id) AS found;

SELECT count(*)
FROM (
  SELECT 1
  FROM unnest($1::text[]::uuid[]) AS found(id)
  CROSS JOIN LATERAL (
    SELECT 1
    FROM "EditJob" AS job
    WHERE job."promptId" = found.id
    AND ("job"."ownerId" = $2) IS TRUE
    AND job."deletedAt" IS NULL
    OFFSET 0) AS own
  LIMIT $3) AS counted;

-- an estimate of a search and a filter

SELECT id
FROM (
  SELECT "promptsWith"($1, $2::int[], $3, $4::bigint) AS id) AS found;

SELECT count(*)
FROM (
  SELECT 1
  FROM "EditJob" AS job
  WHERE "job"."ownerId" = $1
  AND job."deletedAt" IS NULL
  AND job.model = $2::text
  AND (job."promptId" IN (
      SELECT "promptsWith"($3, $4::int[], $5, $6::bigint))) IS TRUE
  LIMIT $7) AS counted;

SELECT coalesce(sum(uses), 0) AS count
FROM "Prompt"
WHERE "Prompt"."ownerId" = $1
AND id IN (
  SELECT "promptsWith"($2, $3::int[], $4, $5::bigint));

EXPLAIN (FORMAT JSON) SELECT 1
FROM "EditJob" AS job
WHERE "job"."ownerId" = $1
AND job."deletedAt" IS NULL
AND job.model = $2::text;

EXPLAIN (FORMAT JSON) SELECT 1
FROM "EditJob" AS job
WHERE "job"."ownerId" = $1
AND job."deletedAt" IS NULL;

-- whether an edit matches a filter

SELECT 1
FROM "EditJob" AS job
WHERE job.id = $1::uuid
AND "job"."ownerId" = $2
AND job."deletedAt" IS NULL
AND job.model = $3::text;
