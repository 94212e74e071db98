-- AlterTable
ALTER TABLE "EditAttempt" ADD COLUMN     "answerStoredAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "TokenUsage" ALTER COLUMN "totalTokens" DROP NOT NULL,
ALTER COLUMN "inputTokens" DROP NOT NULL,
ALTER COLUMN "outputTokens" DROP NOT NULL;
