-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "traceparent" TEXT;
