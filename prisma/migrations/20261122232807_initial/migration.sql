-- CreateEnum
CREATE TYPE "EditStatus" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED');

-- CreateEnum
CREATE TYPE "ImageFormat" AS ENUM ('PNG', 'JPEG', 'WEBP');

-- CreateEnum
CREATE TYPE "ImageRole" AS ENUM ('INPUT', 'MASK', 'OUTPUT');

-- CreateEnum
CREATE TYPE "AttemptState" AS ENUM ('SENT', 'SUCCEEDED', 'FAILED', 'UNKNOWN');

-- CreateTable
CREATE TABLE "EditJob" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "status" "EditStatus" NOT NULL DEFAULT 'QUEUED',
    "sandbox" BOOLEAN NOT NULL,
    "promptId" UUID NOT NULL,
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
    "extraParams" JSONB,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "answerSize" TEXT,
    "answerQuality" TEXT,
    "answerBackground" TEXT,
    "answerOutputFormat" TEXT,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "EditJob_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "EditAttempt" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "state" "AttemptState" NOT NULL DEFAULT 'SENT',
    "httpStatus" INTEGER,
    "upstreamRequestId" TEXT,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "answer" JSONB,
    "sentAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "EditAttempt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Prompt" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "text" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Prompt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
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

-- CreateTable
CREATE TABLE "EditJobImage" (
    "jobId" UUID NOT NULL,
    "imageId" UUID NOT NULL,
    "role" "ImageRole" NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "EditJobImage_pkey" PRIMARY KEY ("jobId","role","position")
);

-- CreateTable
CREATE TABLE "TokenUsage" (
    "jobId" UUID NOT NULL,
    "totalTokens" INTEGER NOT NULL,
    "inputTokens" INTEGER NOT NULL,
    "outputTokens" INTEGER NOT NULL,
    "inputTextTokens" INTEGER,
    "inputImageTokens" INTEGER,
    "outputTextTokens" INTEGER,
    "outputImageTokens" INTEGER,
    "raw" JSONB NOT NULL,

    CONSTRAINT "TokenUsage_pkey" PRIMARY KEY ("jobId")
);

-- CreateIndex
CREATE INDEX "EditJob_ownerId_id_idx" ON "EditJob"("ownerId", "id" DESC);

-- CreateIndex
CREATE INDEX "EditJob_ownerId_status_id_idx" ON "EditJob"("ownerId", "status", "id" DESC);

-- CreateIndex
CREATE INDEX "EditJob_ownerId_model_id_idx" ON "EditJob"("ownerId", "model", "id" DESC);

-- CreateIndex
CREATE INDEX "EditJob_ownerId_createdAt_idx" ON "EditJob"("ownerId", "createdAt");

-- CreateIndex
CREATE INDEX "EditJob_promptId_idx" ON "EditJob"("promptId");

-- CreateIndex
CREATE UNIQUE INDEX "EditAttempt_jobId_number_key" ON "EditAttempt"("jobId", "number");

-- CreateIndex
CREATE UNIQUE INDEX "Prompt_ownerId_sha256_key" ON "Prompt"("ownerId", "sha256");

-- CreateIndex
CREATE UNIQUE INDEX "Image_ownerId_sha256_key" ON "Image"("ownerId", "sha256");

-- CreateIndex
CREATE INDEX "EditJobImage_imageId_idx" ON "EditJobImage"("imageId");

-- AddForeignKey
ALTER TABLE "EditJob" ADD CONSTRAINT "EditJob_promptId_fkey" FOREIGN KEY ("promptId") REFERENCES "Prompt"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditAttempt" ADD CONSTRAINT "EditAttempt_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EditJobImage" ADD CONSTRAINT "EditJobImage_imageId_fkey" FOREIGN KEY ("imageId") REFERENCES "Image"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TokenUsage" ADD CONSTRAINT "TokenUsage_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;
