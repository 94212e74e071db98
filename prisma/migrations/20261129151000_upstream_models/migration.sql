-- CreateTable
CREATE TABLE "UpstreamModels" (
    "name" TEXT NOT NULL,
    "models" JSONB NOT NULL,
    "readAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "UpstreamModels_pkey" PRIMARY KEY ("name")
);
