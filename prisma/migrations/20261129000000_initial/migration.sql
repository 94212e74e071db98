-- The data of Retouch 0.1.0. One section for each table: the table, its indexes, its functions.
-- prisma/schema.prisma describes the columns. What Prisma's schema language cannot express has a
-- comment here: partial and expression indexes, storage parameters, a generated column, functions.

CREATE TYPE "EditStatus" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED');
CREATE TYPE "AttemptState" AS ENUM ('SENT', 'SUCCEEDED', 'FAILED', 'UNKNOWN');
CREATE TYPE "ImageFormat" AS ENUM ('PNG', 'JPEG', 'WEBP');
CREATE TYPE "ImageRole" AS ENUM ('INPUT', 'MASK', 'OUTPUT', 'PARTIAL');
CREATE TYPE "BudgetPeriod" AS ENUM ('DAY', 'MONTH', 'TOTAL');
CREATE TYPE "WebhookEvent" AS ENUM ('EDIT_SUCCEEDED', 'EDIT_FAILED', 'EDIT_CANCELED', 'EDIT_OUTCOME_UNKNOWN');
CREATE TYPE "WebhookDeliveryState" AS ENUM ('PENDING', 'DELIVERED', 'FAILED');
CREATE TYPE "WebhookDisabledReason" AS ENUM ('GONE', 'FAILING');

--
-- Prompt
--

CREATE TABLE "Prompt" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "text" TEXT NOT NULL,
    "uses" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastUsedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Prompt_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "Prompt_ownerId_id_key" ON "Prompt"("ownerId", "id");
CREATE UNIQUE INDEX "Prompt_ownerId_sha256_key" ON "Prompt"("ownerId", "sha256");
CREATE INDEX "Prompt_ownerId_createdAt_id_idx" ON "Prompt"("ownerId", "createdAt" DESC, "id" DESC);
CREATE INDEX "Prompt_ownerId_lastUsedAt_id_idx" ON "Prompt"("ownerId", "lastUsedAt" DESC, "id" DESC);
CREATE INDEX "Prompt_ownerId_uses_id_idx" ON "Prompt"("ownerId", "uses" DESC, "id" DESC);

--
-- PromptSearch
--

CREATE TABLE "PromptSearch" (
    "promptId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "grams" INTEGER[],

    CONSTRAINT "PromptSearch_pkey" PRIMARY KEY ("promptId","ownerId")
);

-- No query reads the grams from the table: storing them out of line keeps the texts close together.
ALTER TABLE "PromptSearch" ALTER COLUMN "grams" SET STORAGE EXTERNAL, SET (toast_tuple_target = 256);

-- Every search reads the whole pending list, so the list must stay short. The limit is in kB.
CREATE INDEX "PromptSearch_grams_idx" ON "PromptSearch" USING GIN ("grams" array_ops)
    WITH (gin_pending_list_limit = 256);

-- Returns an owner's prompts that contain a folded term, at most "most" (null means all). It uses
-- the index whatever the statistics say: a scan of the table would fetch all grams.
CREATE FUNCTION "promptsWith"(owner TEXT, sequences INTEGER[], term TEXT, most BIGINT) RETURNS SETOF UUID
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT "promptId" FROM "PromptSearch"
    WHERE "grams" @> sequences AND "ownerId" = owner AND strpos("text", term) > 0
    LIMIT most
$$;

--
-- EditJob
--

CREATE TABLE "EditJob" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "status" "EditStatus" NOT NULL DEFAULT 'QUEUED',
    "sandbox" BOOLEAN NOT NULL,
    "turn" INTEGER NOT NULL DEFAULT 0,

    "promptId" UUID,
    "model" TEXT NOT NULL,
    "size" TEXT NOT NULL,
    "resolvedSize" TEXT NOT NULL,
    "n" INTEGER NOT NULL,
    "quality" TEXT,
    "background" TEXT,
    "outputFormat" TEXT,
    "outputCompression" INTEGER,
    "inputFidelity" TEXT,
    "moderation" TEXT,
    "complexity" TEXT,
    "partialImages" INTEGER,
    "extraParams" JSONB,
    "metadata" JSONB NOT NULL DEFAULT '{}',

    "answerSize" TEXT,
    "answerQuality" TEXT,
    "answerBackground" TEXT,
    "answerOutputFormat" TEXT,
    "answerRevisedPrompt" TEXT,

    "errorCode" TEXT,
    "errorMessage" TEXT,

    "upstream" TEXT,
    "totalTokens" INTEGER,
    "inputTokens" INTEGER,
    "inputTextTokens" INTEGER,
    "inputImageTokens" INTEGER,
    "inputCachedTokens" INTEGER,
    "outputTokens" INTEGER,
    "outputTextTokens" INTEGER,
    "outputImageTokens" INTEGER,
    "costMicroUsd" BIGINT,
    "outputCount" INTEGER NOT NULL DEFAULT 0,

    "retryOfId" UUID,

    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "nextAttemptAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),
    -- Generated, so that it always agrees with the times.
    "durationMs" INTEGER GENERATED ALWAYS AS (
        (EXTRACT(EPOCH FROM ("finishedAt" - "startedAt")) * 1000)::INTEGER
    ) STORED,
    "deletedAt" TIMESTAMPTZ(3),

    CONSTRAINT "EditJob_pkey" PRIMARY KEY ("id")
);

-- Postgres reads an index without its table only for rows that a recent vacuum has seen.
ALTER TABLE "EditJob" SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05
);

-- The history: one index for each filter and each order. They leave out deleted edits.
CREATE INDEX "EditJob_ownerId_createdAt_id_promptId_idx" ON "EditJob"("ownerId", "createdAt" DESC, "id" DESC, "promptId") WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_status_createdAt_id_idx" ON "EditJob"("ownerId", "status", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_model_createdAt_id_idx" ON "EditJob"("ownerId", "model", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_upstream_createdAt_id_idx" ON "EditJob"("ownerId", "upstream", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_errorCode_createdAt_id_idx" ON "EditJob"("ownerId", "errorCode", "createdAt" DESC, "id" DESC) WHERE "deletedAt" IS NULL AND "errorCode" IS NOT NULL;
CREATE INDEX "EditJob_ownerId_totalTokens_id_idx" ON "EditJob"("ownerId", "totalTokens" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_costMicroUsd_id_idx" ON "EditJob"("ownerId", "costMicroUsd" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_durationMs_id_idx" ON "EditJob"("ownerId", "durationMs" DESC NULLS LAST, "id" DESC) WHERE "deletedAt" IS NULL;
CREATE INDEX "EditJob_ownerId_finishedAt_idx" ON "EditJob"("ownerId", "finishedAt") WHERE "deletedAt" IS NULL;

-- The metadata under its owner: { ownerId: metadata }. A search reads the entries of one owner only.
CREATE INDEX "EditJob_metadata_idx" ON "EditJob"
    USING GIN (jsonb_set('{}', ARRAY["ownerId"], "metadata") jsonb_path_ops)
    WHERE "deletedAt" IS NULL;

-- Returns at most "most" of an owner's edits that have the wanted metadata. It uses the index above
-- whatever the statistics say: they do not know how rare a key or value is.
CREATE FUNCTION "editsWithMetadata"(owner TEXT, wanted JSONB, most BIGINT) RETURNS SETOF "EditJob"
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
    SELECT * FROM "EditJob"
    WHERE jsonb_set('{}', ARRAY["ownerId"], "metadata") @> jsonb_build_object(owner, wanted)
        AND "deletedAt" IS NULL
    LIMIT most
$$;

-- The prompts: the edits of one prompt, deleted or not.
CREATE INDEX "EditJob_promptId_createdAt_id_deletedAt_ownerId_idx" ON "EditJob"("promptId", "createdAt" DESC, "id" DESC, "deletedAt", "ownerId");

-- The usage of an owner: every column that a report sums or groups by, so that it reads no table row.
CREATE INDEX "EditJob_usage_idx" ON "EditJob"("ownerId", "createdAt") INCLUDE (
    "model", "upstream", "status", "errorCode", "sandbox", "outputCount", "totalTokens",
    "inputTokens", "inputTextTokens", "inputImageTokens", "inputCachedTokens", "outputTokens",
    "outputTextTokens", "outputImageTokens", "costMicroUsd"
);

-- The usage of all owners: rows lie on the disk in the order of their creation.
CREATE INDEX "EditJob_createdAt_brin_idx" ON "EditJob" USING BRIN ("createdAt");

-- Retention. It holds final edits only: it knows nothing of owners, and the planner would prefer it
-- for pages of the history.
CREATE INDEX "EditJob_createdAt_id_idx" ON "EditJob"("createdAt", "id") WHERE "deletedAt" IS NULL AND "finishedAt" IS NOT NULL;

-- The target of foreign keys: they contain the owner.
CREATE UNIQUE INDEX "EditJob_ownerId_id_key" ON "EditJob"("ownerId", "id");

CREATE INDEX "EditJob_retryOfId_idx" ON "EditJob"("retryOfId");
CREATE INDEX "EditJob_status_idx" ON "EditJob"("status");

--
-- IdempotencyKey
--

CREATE TABLE "IdempotencyKey" (
    "ownerId" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "inputSha256" CHAR(64) NOT NULL,
    "jobId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IdempotencyKey_pkey" PRIMARY KEY ("ownerId","key")
);

CREATE INDEX "IdempotencyKey_jobId_idx" ON "IdempotencyKey"("jobId");

--
-- EditAttempt
--

CREATE TABLE "EditAttempt" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "jobId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "state" "AttemptState" NOT NULL DEFAULT 'SENT',
    "processId" UUID NOT NULL,
    "upstream" TEXT NOT NULL,
    "httpStatus" INTEGER,
    "upstreamRequestId" TEXT,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "moderationDetails" JSONB,
    "answer" JSONB,
    "answerStoredAt" TIMESTAMPTZ(3),
    "sentAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "EditAttempt_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "EditAttempt_jobId_number_key" ON "EditAttempt"("jobId", "number");
CREATE INDEX "EditAttempt_state_idx" ON "EditAttempt"("state");

--
-- Process and UpstreamPause
--

CREATE TABLE "Process" (
    "id" UUID NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeatAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Process_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "UpstreamPause" (
    "name" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "strikes" INTEGER NOT NULL DEFAULT 1,
    "places" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "UpstreamPause_pkey" PRIMARY KEY ("name")
);

--
-- Image and EditJobImage
--

CREATE TABLE "Image" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "format" "ImageFormat" NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "hasAlpha" BOOLEAN NOT NULL,
    "thumbHash" BYTEA,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Image_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "Image_ownerId_id_key" ON "Image"("ownerId", "id");
CREATE UNIQUE INDEX "Image_ownerId_sha256_key" ON "Image"("ownerId", "sha256");

CREATE TABLE "EditJobImage" (
    "jobId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "imageId" UUID NOT NULL,
    "role" "ImageRole" NOT NULL,
    "position" INTEGER NOT NULL,
    "sentSha256" CHAR(64),

    CONSTRAINT "EditJobImage_pkey" PRIMARY KEY ("jobId","role","position")
);

CREATE INDEX "EditJobImage_imageId_role_jobId_ownerId_idx" ON "EditJobImage"("imageId", "role", "jobId", "ownerId");

--
-- TokenUsage and Charge
--

CREATE TABLE "TokenUsage" (
    "jobId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "totalTokens" INTEGER,
    "inputTokens" INTEGER,
    "outputTokens" INTEGER,
    "inputTextTokens" INTEGER,
    "inputImageTokens" INTEGER,
    "outputTextTokens" INTEGER,
    "outputImageTokens" INTEGER,
    "inputCachedTokens" INTEGER,
    "inputCachedTextTokens" INTEGER,
    "inputCachedImageTokens" INTEGER,
    "raw" JSONB NOT NULL,

    CONSTRAINT "TokenUsage_pkey" PRIMARY KEY ("jobId","ownerId")
);

CREATE TABLE "Charge" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "jobId" UUID NOT NULL,
    "amountMicroUsd" BIGINT NOT NULL,
    "priceVersion" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "supersededAt" TIMESTAMPTZ(3),

    CONSTRAINT "Charge_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "Charge_jobId_idx" ON "Charge"("jobId");

-- At most one charge of an edit is current.
CREATE UNIQUE INDEX "Charge_jobId_current_key" ON "Charge"("jobId") WHERE "supersededAt" IS NULL;

--
-- Budget, Reservation and RaisedBound
--

CREATE TABLE "Budget" (
    "ownerId" TEXT NOT NULL,
    "limitMicroUsd" BIGINT NOT NULL,
    "period" "BudgetPeriod" NOT NULL,
    "periodStart" TIMESTAMPTZ(3) NOT NULL,
    "spentMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "reservedMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Budget_pkey" PRIMARY KEY ("ownerId")
);

CREATE TABLE "Reservation" (
    "jobId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "amountMicroUsd" BIGINT NOT NULL,
    "bound" JSONB NOT NULL,
    "reservedAt" TIMESTAMPTZ(3) NOT NULL,
    "settledAt" TIMESTAMPTZ(3),

    CONSTRAINT "Reservation_pkey" PRIMARY KEY ("jobId","ownerId")
);

CREATE INDEX "Reservation_ownerId_reservedAt_idx" ON "Reservation"("ownerId", "reservedAt");

CREATE TABLE "RaisedBound" (
    "model" TEXT NOT NULL,
    "basis" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "factor" DOUBLE PRECISION NOT NULL,
    "raisedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RaisedBound_pkey" PRIMARY KEY ("model","basis","kind")
);

--
-- WebhookEndpoint, WebhookDelivery and WebhookDeliveryAttempt
--

CREATE TABLE "WebhookEndpoint" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "description" TEXT,
    "events" "WebhookEvent"[],
    "secretVersion" INTEGER NOT NULL DEFAULT 1,
    "secretKeyId" TEXT NOT NULL,
    "previousSecretUntil" TIMESTAMPTZ(3),
    "failingSince" TIMESTAMPTZ(3),
    "disabledAt" TIMESTAMPTZ(3),
    "disabledReason" "WebhookDisabledReason",
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "WebhookEndpoint_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "WebhookEndpoint_ownerId_id_key" ON "WebhookEndpoint"("ownerId", "id");

CREATE TABLE "WebhookDelivery" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "endpointId" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "event" "WebhookEvent" NOT NULL,
    "state" "WebhookDeliveryState" NOT NULL DEFAULT 'PENDING',
    "turn" INTEGER NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "lastHttpStatus" INTEGER,
    "lastError" TEXT,
    "nextAttemptAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deliveredAt" TIMESTAMPTZ(3),

    CONSTRAINT "WebhookDelivery_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "WebhookDelivery_ownerId_id_key" ON "WebhookDelivery"("ownerId", "id");
CREATE INDEX "WebhookDelivery_endpointId_id_idx" ON "WebhookDelivery"("endpointId", "id" DESC);
CREATE INDEX "WebhookDelivery_endpointId_state_idx" ON "WebhookDelivery"("endpointId", "state");
CREATE INDEX "WebhookDelivery_jobId_idx" ON "WebhookDelivery"("jobId");

CREATE TABLE "WebhookDeliveryAttempt" (
    "deliveryId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "httpStatus" INTEGER,
    "error" TEXT,
    "sentAt" TIMESTAMPTZ(3) NOT NULL,
    "finishedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "WebhookDeliveryAttempt_pkey" PRIMARY KEY ("deliveryId","number")
);

--
-- Foreign keys. Each contains the owner, so that no row can link rows of two owners.
--

ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_ownerId_promptId_fkey" FOREIGN KEY ("ownerId", "promptId") REFERENCES "Prompt"("ownerId", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_ownerId_retryOfId_fkey" FOREIGN KEY ("ownerId", "retryOfId") REFERENCES "EditJob"("ownerId", "id") ON DELETE NO ACTION ON UPDATE CASCADE;
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "EditAttempt" ADD CONSTRAINT "EditAttempt_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "PromptSearch" ADD CONSTRAINT "PromptSearch_promptId_ownerId_fkey" FOREIGN KEY ("promptId", "ownerId") REFERENCES "Prompt"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_ownerId_imageId_fkey" FOREIGN KEY ("ownerId", "imageId") REFERENCES "Image"("ownerId", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "TokenUsage" ADD CONSTRAINT "TokenUsage_jobId_ownerId_fkey" FOREIGN KEY ("jobId", "ownerId") REFERENCES "EditJob"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Charge" ADD CONSTRAINT "Charge_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_jobId_ownerId_fkey" FOREIGN KEY ("jobId", "ownerId") REFERENCES "EditJob"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "WebhookDelivery" ADD CONSTRAINT "WebhookDelivery_ownerId_endpointId_fkey" FOREIGN KEY ("ownerId", "endpointId") REFERENCES "WebhookEndpoint"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "WebhookDelivery" ADD CONSTRAINT "WebhookDelivery_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "WebhookDeliveryAttempt" ADD CONSTRAINT "WebhookDeliveryAttempt_ownerId_deliveryId_fkey" FOREIGN KEY ("ownerId", "deliveryId") REFERENCES "WebhookDelivery"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
