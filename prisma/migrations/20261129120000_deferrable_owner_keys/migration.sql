-- Foreign keys between rows of one owner contain the owner. Assigning a history to another owner
-- changes both ends in one transaction, which defers these checks to its end. All other transactions
-- are checked at each statement, as before.

ALTER TABLE "EditJob" ALTER CONSTRAINT "EditJob_ownerId_promptId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "EditJob" ALTER CONSTRAINT "EditJob_ownerId_retryOfId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "IdempotencyKey" ALTER CONSTRAINT "IdempotencyKey_ownerId_jobId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "EditAttempt" ALTER CONSTRAINT "EditAttempt_ownerId_jobId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "PromptSearch" ALTER CONSTRAINT "PromptSearch_promptId_ownerId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "EditJobImage" ALTER CONSTRAINT "EditJobImage_ownerId_jobId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "EditJobImage" ALTER CONSTRAINT "EditJobImage_ownerId_imageId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "TokenUsage" ALTER CONSTRAINT "TokenUsage_jobId_ownerId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "Charge" ALTER CONSTRAINT "Charge_ownerId_jobId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "Reservation" ALTER CONSTRAINT "Reservation_jobId_ownerId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "WebhookDelivery" ALTER CONSTRAINT "WebhookDelivery_ownerId_endpointId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "WebhookDelivery" ALTER CONSTRAINT "WebhookDelivery_ownerId_jobId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE "WebhookDeliveryAttempt" ALTER CONSTRAINT "WebhookDeliveryAttempt_ownerId_deliveryId_fkey" DEFERRABLE INITIALLY IMMEDIATE;
