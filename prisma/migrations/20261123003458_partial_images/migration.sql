-- AlterEnum
ALTER TYPE "ImageRole" ADD VALUE 'PARTIAL';

-- AlterTable
ALTER TABLE "EditJob" ADD COLUMN     "partialImages" INTEGER;
