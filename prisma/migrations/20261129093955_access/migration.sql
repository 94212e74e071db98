-- CreateEnum
CREATE TYPE "Scope" AS ENUM ('READ', 'EDIT', 'ADMIN');

-- CreateTable
CREATE TABLE "Owner" (
    "id" TEXT NOT NULL,
    "serial" UUID NOT NULL,
    "name" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "disabledAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Owner_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiKey" (
    "id" UUID NOT NULL,
    "ownerId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "previousSha256" CHAR(64),
    "previousUntil" TIMESTAMPTZ(3),
    "scopes" "Scope"[],
    "allowedModels" TEXT[],
    "lineage" UUID[],
    "expiresAt" TIMESTAMPTZ(3),
    "revokedAt" TIMESTAMPTZ(3),
    "lastUsedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ApiKey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" UUID NOT NULL,
    "actorId" TEXT NOT NULL,
    "actorKeyId" UUID,
    "ownerId" TEXT,
    "action" TEXT NOT NULL,
    "objectType" TEXT NOT NULL,
    "objectId" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "requestId" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AuditEvent_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Owner_serial_key" ON "Owner"("serial");

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_sha256_key" ON "ApiKey"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_previousSha256_key" ON "ApiKey"("previousSha256");

-- CreateIndex
CREATE INDEX "ApiKey_ownerId_id_idx" ON "ApiKey"("ownerId", "id" DESC);

-- CreateIndex
CREATE INDEX "ApiKey_lineage_idx" ON "ApiKey" USING GIN ("lineage");

-- CreateIndex
CREATE INDEX "AuditEvent_ownerId_id_idx" ON "AuditEvent"("ownerId", "id" DESC);

-- The owners of rows that are older than the table, by their first row.
INSERT INTO "Owner" ("id", "serial", "createdAt")
SELECT
  "ownerId",
  (
    lpad(to_hex((extract(epoch FROM min("createdAt")) * 1000)::bigint), 12, '0')
    || '7' || substr(md5("ownerId"), 1, 3) || '8' || substr(md5("ownerId"), 4, 15)
  )::uuid,
  min("createdAt")
FROM (
  SELECT "ownerId", "createdAt" FROM "EditJob"
  UNION ALL SELECT "ownerId", "createdAt" FROM "Image"
  UNION ALL SELECT "ownerId", "createdAt" FROM "WebhookEndpoint"
) AS owned
GROUP BY "ownerId";
