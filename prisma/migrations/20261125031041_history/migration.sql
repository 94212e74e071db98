-- DropIndex
DROP INDEX "EditJob_promptId_idx";

-- Made anew below, without the deleted edits.
DROP INDEX "EditJob_ownerId_id_idx";
DROP INDEX "EditJob_ownerId_status_id_idx";
DROP INDEX "EditJob_ownerId_model_id_idx";

-- DropIndex
DROP INDEX "EditJobImage_imageId_idx";

-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "costMicroUsd" BIGINT,
ADD COLUMN     "deletedAt" TIMESTAMPTZ(3),
-- Of the database's own making, so that it can never differ from the times.
ADD COLUMN     "durationMs" INTEGER GENERATED ALWAYS AS (
    (EXTRACT(EPOCH FROM ("finishedAt" - "startedAt")) * 1000)::INTEGER
) STORED,
ADD COLUMN     "inputCachedTokens" INTEGER,
ADD COLUMN     "inputImageTokens" INTEGER,
ADD COLUMN     "inputTextTokens" INTEGER,
ADD COLUMN     "inputTokens" INTEGER,
ADD COLUMN     "outputCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "outputImageTokens" INTEGER,
ADD COLUMN     "outputTextTokens" INTEGER,
ADD COLUMN     "outputTokens" INTEGER,
ADD COLUMN     "totalTokens" INTEGER,
ADD COLUMN     "upstream" TEXT,
ALTER COLUMN "promptId" DROP NOT NULL;

-- AlterTable
ALTER TABLE "Prompt" ADD COLUMN     "lastUsedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "uses" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "TokenUsage" ADD COLUMN     "inputCachedImageTokens" INTEGER,
ADD COLUMN     "inputCachedTextTokens" INTEGER,
ADD COLUMN     "inputCachedTokens" INTEGER;

-- What the new columns say of the edits there are. Charges and PromptSearch are filled by the service.
UPDATE "EditJob" AS job SET
    "upstream" = (
        SELECT attempt."upstream" FROM "EditAttempt" AS attempt
        WHERE attempt."jobId" = job."id" ORDER BY attempt."number" DESC LIMIT 1
    ),
    "outputCount" = (SELECT count(*) FROM "EditJobImage" WHERE "jobId" = job."id" AND "role" = 'OUTPUT');

UPDATE "EditJob" AS job SET
    "totalTokens" = usage."totalTokens",
    "inputTokens" = usage."inputTokens",
    "inputTextTokens" = usage."inputTextTokens",
    "inputImageTokens" = usage."inputImageTokens",
    "outputTokens" = usage."outputTokens",
    "outputTextTokens" = usage."outputTextTokens",
    "outputImageTokens" = usage."outputImageTokens"
FROM "TokenUsage" AS usage
WHERE usage."jobId" = job."id";

-- All that the usage sums up: whoever adds up a month of edits reads no table.
DROP INDEX "EditJob_ownerId_createdAt_idx";
CREATE INDEX "EditJob_usage_idx" ON "EditJob"("ownerId", "createdAt") INCLUDE (
    "model", "upstream", "status", "errorCode", "sandbox", "outputCount", "totalTokens",
    "inputTokens", "inputTextTokens", "inputImageTokens", "inputCachedTokens", "outputTokens",
    "outputTextTokens", "outputImageTokens", "costMicroUsd"
);

-- CreateIndex: for the usage of all owners, as edits lie in the order in which they were created.
CREATE INDEX "EditJob_createdAt_brin_idx" ON "EditJob" USING BRIN ("createdAt");

-- An index is read without its table only where a vacuum has been since.
ALTER TABLE "EditJob" SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05
);

UPDATE "Prompt" AS prompt SET "uses" = used."uses", "lastUsedAt" = used."lastUsedAt"
FROM (
    SELECT "promptId", count(*) AS "uses", max("createdAt") AS "lastUsedAt"
    FROM "EditJob" GROUP BY "promptId"
) AS used
WHERE used."promptId" = prompt."id";

-- CreateTable
CREATE TABLE "PromptSearch" (
    "promptId" UUID NOT NULL,
    "text" TEXT NOT NULL,
    "grams" INTEGER[],

    CONSTRAINT "PromptSearch_pkey" PRIMARY KEY ("promptId")
);

-- CreateTable
CREATE TABLE "Charge" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "amountMicroUsd" BIGINT NOT NULL,
    "priceVersion" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "supersededAt" TIMESTAMPTZ(3),

    CONSTRAINT "Charge_pkey" PRIMARY KEY ("id")
);

-- The sequences are only ever written: out of line, so that the texts lie close together.
ALTER TABLE "PromptSearch" ALTER COLUMN "grams" SET STORAGE EXTERNAL, SET (toast_tuple_target = 256);

-- CreateIndex
CREATE INDEX "PromptSearch_grams_idx" ON "PromptSearch" USING GIN ("grams" array_ops)
    -- Every search reads the list of what is not sorted in yet: it must stay short. In kB.
    WITH (gin_pending_list_limit = 256);

-- CreateIndex
CREATE INDEX "Charge_jobId_idx" ON "Charge"("jobId");

-- CreateIndex
CREATE INDEX "EditJob_ownerId_createdAt_id_promptId_idx" ON "EditJob"("ownerId", "createdAt" DESC, "id" DESC, "promptId") WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_status_createdAt_id_idx" ON "EditJob"("ownerId", "status", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_model_createdAt_id_idx" ON "EditJob"("ownerId", "model", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_upstream_createdAt_id_idx" ON "EditJob"("ownerId", "upstream", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_errorCode_createdAt_id_idx" ON "EditJob"("ownerId", "errorCode", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL AND "errorCode" IS NOT NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_totalTokens_id_idx" ON "EditJob"("ownerId", "totalTokens" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_costMicroUsd_id_idx" ON "EditJob"("ownerId", "costMicroUsd" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_durationMs_id_idx" ON "EditJob"("ownerId", "durationMs" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_ownerId_finishedAt_idx" ON "EditJob"("ownerId", "finishedAt") WHERE "deletedAt" IS NULL;

-- CreateIndex
CREATE INDEX "EditJob_metadata_idx" ON "EditJob" USING GIN ("metadata" jsonb_path_ops) WHERE "deletedAt" IS NULL;

-- CreateIndex: for retention. Of ended edits only, so that no page of the history is read by it: it
-- knows nothing of owners, and would seem cheap.
CREATE INDEX "EditJob_createdAt_id_idx" ON "EditJob"("createdAt", "id") WHERE "deletedAt" IS NULL AND "finishedAt" IS NOT NULL;

-- CreateIndex
CREATE INDEX "EditJob_promptId_createdAt_id_deletedAt_idx" ON "EditJob"("promptId", "createdAt" DESC, "id" DESC, "deletedAt");

-- CreateIndex
CREATE INDEX "EditJobImage_imageId_role_jobId_idx" ON "EditJobImage"("imageId", "role", "jobId");

-- CreateIndex
CREATE INDEX "Prompt_ownerId_createdAt_id_idx" ON "Prompt"("ownerId", "createdAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "Prompt_ownerId_lastUsedAt_id_idx" ON "Prompt"("ownerId", "lastUsedAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "Prompt_ownerId_uses_id_idx" ON "Prompt"("ownerId", "uses" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "PromptSearch" ADD CONSTRAINT "PromptSearch_promptId_fkey" FOREIGN KEY ("promptId") REFERENCES "Prompt"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Charge" ADD CONSTRAINT "Charge_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- One charge holds for an edit at a time.
CREATE UNIQUE INDEX "Charge_jobId_current_key" ON "Charge"("jobId") WHERE "supersededAt" IS NULL;

-- The service folds the prompts there are at its next start. Those without sequences wait for it.
INSERT INTO "PromptSearch" ("promptId", "text", "grams") SELECT "id", "text", '{}' FROM "Prompt";
CREATE INDEX "PromptSearch_unfolded_idx" ON "PromptSearch"("promptId") WHERE "grams" = '{}';

-- The prompts that have a folded term, at most so many. By the index whatever the statistics say: a
-- reader of the whole table would have to fetch all sequences.
CREATE FUNCTION "promptsWith"("sequences" INTEGER[], "term" TEXT, "most" BIGINT) RETURNS SETOF UUID
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT "promptId" FROM "PromptSearch"
    WHERE "grams" @> "sequences" AND strpos("text", "term") > 0
    LIMIT "most"
$$;
