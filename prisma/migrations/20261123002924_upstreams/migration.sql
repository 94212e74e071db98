-- AlterTable
ALTER TABLE "EditAttempt" ADD COLUMN     "upstream" TEXT;

-- CreateTable
CREATE TABLE "UpstreamPause" (
    "name" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,

    CONSTRAINT "UpstreamPause_pkey" PRIMARY KEY ("name")
);
