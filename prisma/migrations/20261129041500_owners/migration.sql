-- Each owned table has an owner column, and foreign keys between owned tables contain it: a row
-- cannot link rows of two owners.

-- DropForeignKey
ALTER TABLE "Charge" DROP CONSTRAINT "Charge_jobId_fkey";

-- DropForeignKey
ALTER TABLE "EditAttempt" DROP CONSTRAINT "EditAttempt_jobId_fkey";

-- DropForeignKey
ALTER TABLE "EditJob" DROP CONSTRAINT "EditJob_promptId_fkey";

-- DropForeignKey
ALTER TABLE "EditJob" DROP CONSTRAINT "EditJob_retryOfId_fkey";

-- DropForeignKey
ALTER TABLE "EditJobImage" DROP CONSTRAINT "EditJobImage_imageId_fkey";

-- DropForeignKey
ALTER TABLE "EditJobImage" DROP CONSTRAINT "EditJobImage_jobId_fkey";

-- DropForeignKey
ALTER TABLE "IdempotencyKey" DROP CONSTRAINT "IdempotencyKey_jobId_fkey";

-- DropForeignKey
ALTER TABLE "PromptSearch" DROP CONSTRAINT "PromptSearch_promptId_fkey";

-- DropForeignKey
ALTER TABLE "Reservation" DROP CONSTRAINT "Reservation_jobId_fkey";

-- DropForeignKey
ALTER TABLE "TokenUsage" DROP CONSTRAINT "TokenUsage_jobId_fkey";

-- DropForeignKey
ALTER TABLE "WebhookDelivery" DROP CONSTRAINT "WebhookDelivery_endpointId_fkey";

-- DropForeignKey
ALTER TABLE "WebhookDelivery" DROP CONSTRAINT "WebhookDelivery_jobId_fkey";

-- DropForeignKey
ALTER TABLE "WebhookDeliveryAttempt" DROP CONSTRAINT "WebhookDeliveryAttempt_deliveryId_fkey";

-- DropIndex
DROP INDEX "EditJob_promptId_createdAt_id_deletedAt_idx";

-- DropIndex
DROP INDEX "EditJobImage_imageId_role_jobId_idx";

-- DropIndex
DROP INDEX "WebhookEndpoint_ownerId_id_idx";

-- AlterTable
ALTER TABLE "Charge" ADD COLUMN     "ownerId" TEXT;
UPDATE "Charge" AS row SET "ownerId" = parent."ownerId" FROM "EditJob" AS parent WHERE parent."id" = row."jobId";
ALTER TABLE "Charge" ALTER COLUMN "ownerId" SET NOT NULL;

-- AlterTable
ALTER TABLE "EditAttempt" ADD COLUMN     "ownerId" TEXT;
UPDATE "EditAttempt" AS row SET "ownerId" = parent."ownerId" FROM "EditJob" AS parent WHERE parent."id" = row."jobId";
ALTER TABLE "EditAttempt" ALTER COLUMN "ownerId" SET NOT NULL;

-- AlterTable
ALTER TABLE "EditJobImage" ADD COLUMN     "ownerId" TEXT;
UPDATE "EditJobImage" AS row SET "ownerId" = parent."ownerId" FROM "EditJob" AS parent WHERE parent."id" = row."jobId";
ALTER TABLE "EditJobImage" ALTER COLUMN "ownerId" SET NOT NULL;

-- AlterTable
ALTER TABLE "PromptSearch" DROP CONSTRAINT "PromptSearch_pkey",
ADD CONSTRAINT "PromptSearch_pkey" PRIMARY KEY ("promptId", "ownerId");

-- AlterTable
ALTER TABLE "Reservation" DROP CONSTRAINT "Reservation_pkey",
ADD CONSTRAINT "Reservation_pkey" PRIMARY KEY ("jobId", "ownerId");

-- AlterTable
ALTER TABLE "TokenUsage" ADD COLUMN     "ownerId" TEXT;
UPDATE "TokenUsage" AS row SET "ownerId" = parent."ownerId" FROM "EditJob" AS parent WHERE parent."id" = row."jobId";
ALTER TABLE "TokenUsage" ALTER COLUMN "ownerId" SET NOT NULL;
ALTER TABLE "TokenUsage" DROP CONSTRAINT "TokenUsage_pkey",
ADD CONSTRAINT "TokenUsage_pkey" PRIMARY KEY ("jobId", "ownerId");

-- AlterTable
ALTER TABLE "WebhookDelivery" ADD COLUMN     "ownerId" TEXT;
UPDATE "WebhookDelivery" AS row SET "ownerId" = parent."ownerId" FROM "EditJob" AS parent WHERE parent."id" = row."jobId";
ALTER TABLE "WebhookDelivery" ALTER COLUMN "ownerId" SET NOT NULL;

-- AlterTable
ALTER TABLE "WebhookDeliveryAttempt" ADD COLUMN     "ownerId" TEXT;
UPDATE "WebhookDeliveryAttempt" AS row SET "ownerId" = parent."ownerId" FROM "WebhookDelivery" AS parent WHERE parent."id" = row."deliveryId";
ALTER TABLE "WebhookDeliveryAttempt" ALTER COLUMN "ownerId" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "EditJob_ownerId_id_key" ON "EditJob"("ownerId", "id");

-- CreateIndex
CREATE INDEX "EditJob_promptId_createdAt_id_deletedAt_ownerId_idx" ON "EditJob"("promptId", "createdAt" DESC, "id" DESC, "deletedAt", "ownerId");

-- CreateIndex
CREATE INDEX "EditJobImage_imageId_role_jobId_ownerId_idx" ON "EditJobImage"("imageId", "role", "jobId", "ownerId");

-- CreateIndex
CREATE UNIQUE INDEX "Image_ownerId_id_key" ON "Image"("ownerId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Prompt_ownerId_id_key" ON "Prompt"("ownerId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "WebhookDelivery_ownerId_id_key" ON "WebhookDelivery"("ownerId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "WebhookEndpoint_ownerId_id_key" ON "WebhookEndpoint"("ownerId", "id");

-- AddForeignKey
ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_ownerId_promptId_fkey" FOREIGN KEY ("ownerId", "promptId") REFERENCES "Prompt"("ownerId", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_ownerId_retryOfId_fkey" FOREIGN KEY ("ownerId", "retryOfId") REFERENCES "EditJob"("ownerId", "id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditAttempt" ADD CONSTRAINT "EditAttempt_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PromptSearch" ADD CONSTRAINT "PromptSearch_promptId_ownerId_fkey" FOREIGN KEY ("promptId", "ownerId") REFERENCES "Prompt"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_ownerId_imageId_fkey" FOREIGN KEY ("ownerId", "imageId") REFERENCES "Image"("ownerId", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TokenUsage" ADD CONSTRAINT "TokenUsage_jobId_ownerId_fkey" FOREIGN KEY ("jobId", "ownerId") REFERENCES "EditJob"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Charge" ADD CONSTRAINT "Charge_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_jobId_ownerId_fkey" FOREIGN KEY ("jobId", "ownerId") REFERENCES "EditJob"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "WebhookDelivery" ADD CONSTRAINT "WebhookDelivery_ownerId_endpointId_fkey" FOREIGN KEY ("ownerId", "endpointId") REFERENCES "WebhookEndpoint"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "WebhookDelivery" ADD CONSTRAINT "WebhookDelivery_ownerId_jobId_fkey" FOREIGN KEY ("ownerId", "jobId") REFERENCES "EditJob"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "WebhookDeliveryAttempt" ADD CONSTRAINT "WebhookDeliveryAttempt_ownerId_deliveryId_fkey" FOREIGN KEY ("ownerId", "deliveryId") REFERENCES "WebhookDelivery"("ownerId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
