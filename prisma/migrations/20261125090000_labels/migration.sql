-- Labels are looked for among one owner's edits: { owner: labels } is what is indexed.
DROP INDEX "EditJob_metadata_idx";
CREATE INDEX "EditJob_labels_idx" ON "EditJob"
    USING GIN (jsonb_set('{}', ARRAY["ownerId"], "metadata") jsonb_path_ops)
    WHERE "deletedAt" IS NULL;

-- The edits of an owner that have labels, at most so many. By the index whatever the statistics say:
-- they know nothing of how rare a label is.
CREATE FUNCTION "editsLabeled"("owner" TEXT, "labels" JSONB, "most" BIGINT) RETURNS SETOF "EditJob"
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
    SELECT * FROM "EditJob"
    WHERE jsonb_set('{}', ARRAY["ownerId"], "metadata") @> jsonb_build_object("owner", "labels")
        AND "deletedAt" IS NULL
    LIMIT "most"
$$;
