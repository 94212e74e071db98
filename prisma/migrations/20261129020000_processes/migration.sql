ALTER TABLE "Worker" RENAME TO "Process";
ALTER TABLE "Process" RENAME CONSTRAINT "Worker_pkey" TO "Process_pkey";
ALTER TABLE "EditAttempt" RENAME COLUMN "workerId" TO "processId";
