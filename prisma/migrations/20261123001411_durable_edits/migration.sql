-- AlterTable
ALTER TABLE "EditAttempt" ADD COLUMN     "workerId" UUID;

-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "nextAttemptAt" TIMESTAMPTZ(3),
ADD COLUMN     "retryOfId" UUID;

-- CreateTable
CREATE TABLE "IdempotencyKey" (
    "ownerId" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "inputSha256" CHAR(64) NOT NULL,
    "jobId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IdempotencyKey_pkey" PRIMARY KEY ("ownerId","key")
);

-- CreateTable
CREATE TABLE "Worker" (
    "id" UUID NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeatAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Worker_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "IdempotencyKey_jobId_idx" ON "IdempotencyKey"("jobId");

-- CreateIndex
CREATE INDEX "EditAttempt_state_idx" ON "EditAttempt"("state");

-- CreateIndex
CREATE INDEX "EditJob_retryOfId_idx" ON "EditJob"("retryOfId");

-- CreateIndex
CREATE INDEX "EditJob_status_idx" ON "EditJob"("status");

-- AddForeignKey
ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_retryOfId_fkey" FOREIGN KEY ("retryOfId") REFERENCES "EditJob"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;
