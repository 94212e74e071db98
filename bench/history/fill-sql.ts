/** Ids as the service makes them: they order by time. */
export const HELPERS = [
  `CREATE FUNCTION "benchId"(ms NUMERIC, seed TEXT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(ms::bigint), 12, '0') || '7' || substr(md5(seed), 1, 3)
      || '8' || substr(md5(seed), 4, 15))::uuid
  $$`,
  `CREATE TABLE "BenchPrompt" (owner INT, index INT, id UUID, PRIMARY KEY (owner, index))`,
];

/** A number from 0 to below 1 that a text decides. */
const random = (seed: string) =>
  `((('x' || substr(md5(${seed}), 1, 7))::bit(28)::int)::float8 / 268435456)`;

/** Job \`n\` of \`$1\`: whose, which of theirs, when. */
const NUMBERED = `
  SELECT n, n % 10 AS owner, n / 10 AS nth, n::float8 / $1::int AS place,
    CASE WHEN n % 10 = 0 THEN 'local' ELSE 'owner-' || n % 10 END AS "ownerId",
    1761000000000 + (n::numeric * 31536000000 / $1::int)::bigint AS ms
  FROM generate_series(0, $1::int - 1) AS n
  WHERE $2::int > 0`;

const JOB_ID = (n: string, ms: string) => `"benchId"(${ms}, 'job' || ${n})`;
const OUTPUT_ID = (n: string, ms: string) => `"benchId"(${ms}, 'output' || ${n})`;
const STATUS = `CASE WHEN ${random("'status' || n")} < 0.93 THEN 'SUCCEEDED'
  WHEN ${random("'status' || n")} < 0.98 THEN 'FAILED'
  WHEN ${random("'status' || n")} < 0.99 THEN 'CANCELED' ELSE 'OUTCOME_UNKNOWN' END`;

/** Each with the number of jobs and the number of prompts of an owner. */
export const FILL_STEPS = [
  // A prompt is used for a while, and then another.
  `INSERT INTO "EditJob" (id, "ownerId", status, sandbox, "promptId", model, size, "resolvedSize", n,
      quality, metadata, "errorCode", "errorMessage", upstream, "totalTokens", "costMicroUsd",
      "inputTokens", "inputTextTokens", "inputImageTokens", "outputTokens", "outputImageTokens",
      "outputCount", "createdAt", "startedAt", "finishedAt")
    SELECT ${JOB_ID('n', 'ms')}, "ownerId", status::"EditStatus", false, prompt.id,
      (ARRAY['gpt-image-1', 'gpt-image-1.5', 'gpt-image-1-mini', 'gpt-image-2'])[1 + floor(4 * ${random("'model' || n")} ^ 2)::int],
      size, size, 1,
      (ARRAY['low', 'medium', 'high'])[1 + n / 7 % 3],
      jsonb_build_object('project', 'p' || floor(200 * ${random("'project' || n")} ^ 2), 'order', n),
      CASE status WHEN 'FAILED' THEN (ARRAY['MODERATION_BLOCKED', 'SERVER_ERROR', 'BAD_REQUEST'])[1 + n / 10 % 3]
        WHEN 'OUTCOME_UNKNOWN' THEN 'TIMEOUT' END,
      CASE WHEN status IN ('FAILED', 'OUTCOME_UNKNOWN') THEN 'as the edits API said' END,
      (ARRAY['openai', 'relay-a', 'relay-b'])[1 + floor(3 * ${random("'upstream' || n")} ^ 2)::int],
      CASE status WHEN 'SUCCEEDED' THEN 500 + floor(9000 * ${random("'tokens' || n")})::int END,
      CASE WHEN status = 'SUCCEEDED' AND n / 10 % 20 > 0
        THEN 10000 + floor(200000 * ${random("'tokens' || n")})::bigint END,
      CASE status WHEN 'SUCCEEDED' THEN 300 END, CASE status WHEN 'SUCCEEDED' THEN 40 END,
      CASE status WHEN 'SUCCEEDED' THEN 260 END,
      CASE status WHEN 'SUCCEEDED' THEN 200 + floor(9000 * ${random("'tokens' || n")})::int END,
      CASE status WHEN 'SUCCEEDED' THEN 200 + floor(9000 * ${random("'tokens' || n")})::int END,
      CASE status WHEN 'SUCCEEDED' THEN 1 ELSE 0 END,
      "createdAt", "createdAt" + interval '1 second',
      "createdAt" + interval '1 second' + ${random("'took' || n")} * interval '90 seconds'
    FROM (SELECT numbered.*, ${STATUS} AS status, to_timestamp(ms / 1000.0) AS "createdAt",
        (ARRAY['1024x1024', '1536x1024', '1024x1536'])[1 + n / 13 % 3] AS size
      FROM (${NUMBERED}) AS numbered) AS job
    JOIN "BenchPrompt" AS prompt ON prompt.owner = job.owner AND prompt.index =
      least($2::int - 1, floor($2::int * (place * 0.98 + 0.02 * ${random("'prompt' || n")} ^ 2))::int)`,
  `UPDATE "Prompt" AS prompt SET uses = used.uses, "lastUsedAt" = used."lastUsedAt", "createdAt" = used."createdAt"
    FROM (SELECT "promptId", count(*) AS uses, max("createdAt") AS "lastUsedAt", min("createdAt") AS "createdAt"
      FROM "EditJob" WHERE $1::int + $2::int > 0 GROUP BY "promptId") AS used
    WHERE used."promptId" = prompt.id`,
  // An image for every fifth job of an owner, and one for every answer.
  `INSERT INTO "Image" (id, "ownerId", sha256, format, width, height, bytes, "hasAlpha", "createdAt")
    SELECT "benchId"(ms, 'input' || owner || '.' || nth / 5), "ownerId", md5('i' || n) || md5('j' || n),
      'JPEG'::"ImageFormat", 1600, 1200, 800000, false, to_timestamp(ms / 1000.0)
    FROM (${NUMBERED}) AS job WHERE nth % 5 = 0
    UNION ALL
    SELECT ${OUTPUT_ID('n', 'ms')}, "ownerId", md5('o' || n) || md5('p' || n),
      'PNG'::"ImageFormat", 1024, 1024, 1500000, false, to_timestamp(ms / 1000.0)
    FROM (${NUMBERED}) AS job WHERE ${STATUS} = 'SUCCEEDED' OR nth / 50 % 10 = 0`,
  `INSERT INTO "EditJobImage" ("jobId", "ownerId", "imageId", role, position)
    SELECT ${JOB_ID('n', 'ms')}, "ownerId", ${OUTPUT_ID('n', 'ms')}, 'OUTPUT'::"ImageRole", 0
    FROM (${NUMBERED}) AS job WHERE ${STATUS} = 'SUCCEEDED' OR nth / 50 % 10 = 0`,
  // Of each tenth group of 50 the edits are a tree: the nth has edited the (n / 2)th's image.
  `WITH job AS (${NUMBERED}), input AS (SELECT owner, nth, ms FROM job WHERE nth % 5 = 0)
    INSERT INTO "EditJobImage" ("jobId", "ownerId", "imageId", role, position)
    SELECT ${JOB_ID('job.n', 'job.ms')}, job."ownerId",
      CASE WHEN job.nth / 50 % 10 = 0 AND job.nth % 50 > 0
        THEN ${OUTPUT_ID('parent.n', 'parent.ms')}
        ELSE "benchId"(input.ms, 'input' || job.owner || '.' || job.nth / 5) END,
      'INPUT'::"ImageRole", 0
    FROM job
    JOIN job AS parent ON parent.n = (job.nth / 50 * 50 + job.nth % 50 / 2) * 10 + job.owner
    JOIN input ON input.owner = job.owner AND input.nth = job.nth / 5 * 5`,
  `INSERT INTO "EditAttempt" (id, "ownerId", "jobId", number, state, "processId", upstream, "httpStatus", "sentAt", "finishedAt")
    SELECT "benchId"(ms, 'attempt' || n), "ownerId", ${JOB_ID('n', 'ms')}, 1, 'SUCCEEDED'::"AttemptState", "benchId"(ms, 'process'), 'openai', 200,
      to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0)
    FROM (${NUMBERED}) AS job`,
  `INSERT INTO "TokenUsage" ("jobId", "ownerId", "totalTokens", "inputTokens", "outputTokens", "inputTextTokens", "inputImageTokens", raw)
    SELECT id, "ownerId", "totalTokens", 300, "totalTokens" - 300, 40, 260, '{}'
    FROM "EditJob" WHERE "totalTokens" IS NOT NULL AND $1::int + $2::int > 0`,
  `INSERT INTO "Charge" (id, "ownerId", "jobId", "amountMicroUsd", "priceVersion")
    SELECT "benchId"(1761000000000, 'charge' || id), "ownerId", id, "costMicroUsd", '2026-01-01'
    FROM "EditJob" WHERE "costMicroUsd" IS NOT NULL AND $1::int + $2::int > 0`,
];
