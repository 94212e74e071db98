-- AlterTable
ALTER TABLE "PromptSearch" ADD COLUMN     "ownerId" TEXT;

UPDATE "PromptSearch" AS search SET "ownerId" = prompt."ownerId"
FROM "Prompt" AS prompt WHERE prompt."id" = search."promptId";

ALTER TABLE "PromptSearch" ALTER COLUMN "ownerId" SET NOT NULL;

-- The owner's prompts that have a folded term, at most so many. By the index whatever the statistics
-- say: a reader of the whole table would have to fetch all sequences.
DROP FUNCTION "promptsWith"(INTEGER[], TEXT, BIGINT);
CREATE FUNCTION "promptsWith"("owner" TEXT, "sequences" INTEGER[], "term" TEXT, "most" BIGINT) RETURNS SETOF UUID
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT "promptId" FROM "PromptSearch"
    WHERE "grams" @> "sequences" AND "ownerId" = "owner" AND strpos("text", "term") > 0
    LIMIT "most"
$$;
