-- Limits replace budgets. Each budget becomes a limit on the cost of its owner's edits, and what edits
-- have reserved stays reserved.

-- CreateEnum
CREATE TYPE "LimitSubject" AS ENUM ('OWNER', 'API_KEY', 'METADATA');

-- CreateEnum
CREATE TYPE "LimitMeasure" AS ENUM ('COST', 'TOKENS', 'EDITS', 'IMAGES', 'CONCURRENT_EDITS', 'REQUESTS');

-- CreateEnum
CREATE TYPE "LimitWindow" AS ENUM ('MINUTE', 'HOUR', 'DAY', 'MONTH', 'TOTAL');

-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "apiKeyId" UUID,
ADD COLUMN     "apiKeyIds" UUID[] DEFAULT ARRAY[]::UUID[];

-- CreateTable
CREATE TABLE "Limit" (
    "id" UUID NOT NULL,
    "subject" "LimitSubject" NOT NULL,
    "ownerId" TEXT,
    "apiKeyId" UUID,
    "metadataKey" TEXT,
    "metadataValue" TEXT,
    "measure" "LimitMeasure" NOT NULL,
    "window" "LimitWindow" NOT NULL,
    "timeZone" TEXT NOT NULL DEFAULT 'UTC',
    "amount" BIGINT NOT NULL,
    "windowStart" TIMESTAMPTZ(3) NOT NULL,
    "settled" BIGINT NOT NULL DEFAULT 0,
    "reserved" BIGINT NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Limit_pkey" PRIMARY KEY ("id")
);

INSERT INTO "Limit" ("id", "subject", "ownerId", "measure", "window", "amount", "windowStart", "settled", "reserved", "createdAt", "updatedAt")
SELECT gen_random_uuid(), 'OWNER', "ownerId", 'COST', "period"::text::"LimitWindow", "limitMicroUsd", "periodStart", "spentMicroUsd", "reservedMicroUsd", "createdAt", "updatedAt"
FROM "Budget";

-- DropTable
DROP TABLE "Budget";

-- DropEnum
DROP TYPE "BudgetPeriod";

-- DropIndex
DROP INDEX "Reservation_ownerId_reservedAt_idx";

-- AlterTable
ALTER TABLE "Reservation" RENAME COLUMN "amountMicroUsd" TO "amount";

-- The rows so far are of costs.
ALTER TABLE "Reservation" DROP CONSTRAINT "Reservation_pkey",
ADD COLUMN     "measure" "LimitMeasure" NOT NULL DEFAULT 'COST',
ALTER COLUMN "bound" DROP NOT NULL,
ADD CONSTRAINT "Reservation_pkey" PRIMARY KEY ("jobId", "ownerId", "measure");

ALTER TABLE "Reservation" ALTER COLUMN "measure" DROP DEFAULT;

-- One limit for each subject, measure and window.
CREATE UNIQUE INDEX "Limit_subject_measure_window_key" ON "Limit" (
    "subject", COALESCE("ownerId", ''), COALESCE("apiKeyId", '00000000-0000-0000-0000-000000000000'),
    COALESCE("metadataKey", ''), COALESCE("metadataValue", ''), "measure", "window"
);

-- Partial, so that an edit without a key costs nothing here.
CREATE INDEX "EditJob_apiKeyIds_idx" ON "EditJob" USING GIN ("apiKeyIds") WHERE "apiKeyId" IS NOT NULL;
