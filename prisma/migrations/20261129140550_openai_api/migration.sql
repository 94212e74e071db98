-- CreateEnum
CREATE TYPE "EditSource" AS ENUM ('GRAPHQL', 'OPENAI_API');

-- CreateEnum
CREATE TYPE "ResponseState" AS ENUM ('OPEN', 'WRITTEN', 'LOST');

-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "source" "EditSource" NOT NULL DEFAULT 'GRAPHQL';

-- CreateTable
CREATE TABLE "EditResponse" (
    "jobId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "apiKeyId" UUID,
    "inputSha256" CHAR(64) NOT NULL,
    "state" "ResponseState" NOT NULL DEFAULT 'OPEN',
    "requestId" UUID NOT NULL,
    "sessionId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "EditResponse_pkey" PRIMARY KEY ("jobId","ownerId")
);

-- CreateIndex
CREATE UNIQUE INDEX "EditResponse_requestId_key" ON "EditResponse"("requestId");

-- CreateIndex
CREATE INDEX "EditResponse_ownerId_inputSha256_idx" ON "EditResponse"("ownerId", "inputSha256");

-- CreateIndex
CREATE INDEX "EditResponse_updatedAt_idx" ON "EditResponse"("updatedAt");

-- AddForeignKey
ALTER TABLE "EditResponse" ADD CONSTRAINT "EditResponse_jobId_ownerId_fkey" FOREIGN KEY ("jobId", "ownerId") REFERENCES "EditJob"("id", "ownerId") ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY IMMEDIATE;
