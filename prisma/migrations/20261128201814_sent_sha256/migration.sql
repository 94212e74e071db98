-- AlterTable
ALTER TABLE "EditJobImage" ADD COLUMN     "sentSha256" CHAR(64);
