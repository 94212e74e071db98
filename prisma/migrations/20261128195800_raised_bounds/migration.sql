-- AlterTable
ALTER TABLE "Reservation" ADD COLUMN     "bound" JSONB;

-- CreateTable
CREATE TABLE "RaisedBound" (
    "model" TEXT NOT NULL,
    "basis" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "factor" DOUBLE PRECISION NOT NULL,
    "raisedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RaisedBound_pkey" PRIMARY KEY ("model","basis","kind")
);
