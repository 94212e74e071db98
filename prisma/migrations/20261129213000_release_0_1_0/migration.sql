-- in one transaction since: 20261129094705_limits
--
-- What 0.1.0 needs to run next to this release: its tables "Budget" and "Reservation", as views of the
-- tables that replaced them. So both releases count in the same rows and wait for the same locks. The
-- next release drops both views, the domain, the triggers with their functions, and "budgetOwnerId".

--
-- Reservation: those of costs, of which an edit has one.
--

ALTER TABLE "Reservation" RENAME TO "LimitReservation";
ALTER TABLE "LimitReservation" RENAME CONSTRAINT "Reservation_pkey" TO "LimitReservation_pkey";
ALTER TABLE "LimitReservation" RENAME CONSTRAINT "Reservation_jobId_ownerId_fkey" TO "LimitReservation_jobId_ownerId_fkey";

CREATE VIEW "Reservation" AS
    SELECT "jobId", "ownerId", "amount" AS "amountMicroUsd", "bound", "reservedAt", "settledAt", "measure"
    FROM "LimitReservation" WHERE "measure" = 'COST';

-- 0.1.0 does not know the column.
ALTER VIEW "Reservation" ALTER COLUMN "measure" SET DEFAULT 'COST';

--
-- Budget: one limit on the cost of each owner, by UTC. Its row has the owner a second time, in a
-- unique column, because 0.1.0 inserts ON CONFLICT ("ownerId").
--

ALTER TABLE "Limit" ADD COLUMN "budgetOwnerId" TEXT;

-- The longest window counts the most.
UPDATE "Limit" SET "budgetOwnerId" = "ownerId" WHERE "id" IN (
    SELECT DISTINCT ON ("ownerId") "id" FROM "Limit"
    WHERE "subject" = 'OWNER' AND "measure" = 'COST' AND "timeZone" = 'UTC'
        AND "window" IN ('DAY', 'MONTH', 'TOTAL')
    ORDER BY "ownerId", "window" DESC
);

CREATE UNIQUE INDEX "Limit_budgetOwnerId_key" ON "Limit"("budgetOwnerId");

-- 0.1.0 casts to this type what it writes.
CREATE DOMAIN "BudgetPeriod" AS "LimitWindow" CHECK (VALUE IN ('DAY', 'MONTH', 'TOTAL'));

CREATE VIEW "Budget" AS
    SELECT "budgetOwnerId" AS "ownerId", "amount" AS "limitMicroUsd", "window" AS "period",
        "windowStart" AS "periodStart", "settled" AS "spentMicroUsd", "reserved" AS "reservedMicroUsd",
        "createdAt", "updatedAt"
    FROM "Limit" WHERE "budgetOwnerId" IS NOT NULL;

-- A budget that 0.1.0 inserts, or whose period it changes, replaces a limit of the same window.
CREATE FUNCTION "writeBudget"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW."ownerId" IS NULL THEN
        NEW."id" := gen_random_uuid();
        NEW."subject" := 'OWNER';
        NEW."ownerId" := NEW."budgetOwnerId";
        NEW."measure" := 'COST';
    ELSIF TG_OP = 'INSERT' THEN
        -- Of a restore, which inserts in any order.
        UPDATE "Limit" SET "budgetOwnerId" = NULL WHERE "budgetOwnerId" = NEW."budgetOwnerId";
        RETURN NEW;
    END IF;
    DELETE FROM "Limit"
    WHERE "subject" = 'OWNER' AND "ownerId" = NEW."ownerId" AND "measure" = 'COST'
        AND "window" = NEW."window" AND "budgetOwnerId" IS NULL;
    RETURN NEW;
END
$$;

CREATE TRIGGER "Limit_insertBudget" BEFORE INSERT ON "Limit" FOR EACH ROW
    WHEN (NEW."budgetOwnerId" IS NOT NULL) EXECUTE FUNCTION "writeBudget"();
CREATE TRIGGER "Limit_updateBudget" BEFORE UPDATE OF "window" ON "Limit" FOR EACH ROW
    WHEN (NEW."budgetOwnerId" IS NOT NULL AND NEW."window" <> OLD."window")
    EXECUTE FUNCTION "writeBudget"();

-- An owner's budget stays the same limit until that is removed, moved or by another time zone. None
-- of these triggers runs when a limit only counts.
CREATE FUNCTION "chooseBudget"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    owner TEXT := CASE TG_OP WHEN 'DELETE' THEN OLD."ownerId" ELSE NEW."ownerId" END;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE "Limit" SET "budgetOwnerId" = CASE
            WHEN "timeZone" = 'UTC' AND NOT EXISTS (
                SELECT FROM "Limit" WHERE "budgetOwnerId" = owner AND "id" <> NEW."id"
            ) THEN owner
        END
        WHERE "id" = NEW."id" AND "budgetOwnerId" IS NOT NULL;
    END IF;
    UPDATE "Limit" SET "budgetOwnerId" = owner
    WHERE NOT EXISTS (SELECT FROM "Limit" WHERE "budgetOwnerId" = owner) AND "id" = (
        SELECT "id" FROM "Limit"
        WHERE "subject" = 'OWNER' AND "ownerId" = owner AND "measure" = 'COST' AND "timeZone" = 'UTC'
            AND "window" IN ('DAY', 'MONTH', 'TOTAL')
        ORDER BY "window" DESC LIMIT 1
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER "Limit_inserted" AFTER INSERT ON "Limit" FOR EACH ROW
    WHEN (NEW."subject" = 'OWNER' AND NEW."measure" = 'COST' AND NEW."budgetOwnerId" IS NULL)
    EXECUTE FUNCTION "chooseBudget"();
CREATE TRIGGER "Limit_updated" AFTER UPDATE OF "ownerId", "timeZone" ON "Limit" FOR EACH ROW
    WHEN (
        NEW."subject" = 'OWNER' AND NEW."measure" = 'COST'
        AND (
            NEW."timeZone" <> OLD."timeZone"
            OR (OLD."budgetOwnerId" IS NOT NULL AND NEW."ownerId" <> OLD."ownerId")
        )
    )
    EXECUTE FUNCTION "chooseBudget"();
CREATE TRIGGER "Limit_deleted" AFTER DELETE ON "Limit" FOR EACH ROW
    WHEN (OLD."budgetOwnerId" IS NOT NULL) EXECUTE FUNCTION "chooseBudget"();
