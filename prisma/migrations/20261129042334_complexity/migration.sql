-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "complexity" TEXT;
