-- CreateEnum
CREATE TYPE "BudgetPeriod" AS ENUM ('DAY', 'MONTH', 'TOTAL');

-- CreateTable
CREATE TABLE "Budget" (
    "ownerId" TEXT NOT NULL,
    "limitMicroUsd" BIGINT NOT NULL,
    "period" "BudgetPeriod" NOT NULL,
    "periodStart" TIMESTAMPTZ(3) NOT NULL,
    "spentMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "heldMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Budget_pkey" PRIMARY KEY ("ownerId")
);

-- CreateTable
CREATE TABLE "Reservation" (
    "jobId" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "amountMicroUsd" BIGINT NOT NULL,
    "reservedAt" TIMESTAMPTZ(3) NOT NULL,
    "settledAt" TIMESTAMPTZ(3),

    CONSTRAINT "Reservation_pkey" PRIMARY KEY ("jobId")
);

-- CreateIndex
CREATE INDEX "Reservation_ownerId_reservedAt_idx" ON "Reservation"("ownerId", "reservedAt");

-- AddForeignKey
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "EditJob"("id") ON DELETE CASCADE ON UPDATE CASCADE;
