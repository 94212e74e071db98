import { setTimeout as delay } from 'node:timers/promises';
import { ofAllOwners, ownedRows } from '../../auth/visible.ts';
import {
  type Database,
  Prisma,
  type PrismaClient,
  type Transaction,
} from '../../database/database.ts';
import { hasSessionEnded } from '../../database/sessions.ts';
import { EDIT_ERRORS } from '../../edits-api/edit-error-codes.ts';
import type { Log } from '../../log.ts';

/** How long a lost response can be asked for again. */
const LOST_HOURS = 24;

/** Between two tries to store an end. */
const RETRY_MS = 1_000;

/** How long a repeat finds a response that was written, or an unknown outcome. */
const REPEAT_MINUTES = 10;

/** A client's request for an edit, whose response may be lost: a repeat of it finds the edit. */
export interface ClientRequest {
  /** A UUID. */
  readonly requestId: string;
  /** How often the client sent the same request before, as it says; 0 if it does not. */
  readonly retryCount: number;
  /** Whether it must not find an earlier edit. */
  readonly isNew: boolean;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
}

/** A request with the facts by which a repeat equals it. */
export interface RepeatableRequest extends ClientRequest {
  readonly ownerId: string;
  /** Null: without a key. */
  readonly apiKeyId: string | null;
  readonly inputSha256: string;
}

/** An equal request has an edit already: the transaction must be rolled back. */
export class AlreadyRequestedError extends Error {}

/** Which edits have a client that did not get the response, in all processes. */
export interface Responses {
  /**
   * Finds the edit that an earlier, equal request of the same caller asked for, and makes this
   * request the one that gets its response. That is the case if the client says that it repeats the
   * request, if the earlier client's connection closed before the whole response was written, or if
   * the edit's outcome has been unknown for a few minutes only. An edit that failed and may succeed
   * later is not found. Null: the request needs a new edit.
   */
  attach(request: RepeatableRequest): Promise<{ id: string } | null>;
  /**
   * Inserts the row of a new edit's response, in the transaction that inserts the edit. Equal
   * requests wait for it.
   * @throws AlreadyRequestedError if `attach` would find an edit; the signal's reason if the client
   *   has gone: nobody would get the result.
   */
  open(tx: Transaction, request: RepeatableRequest, jobId: string): Promise<void>;
  /**
   * Stores what became of the response, as soon as the database can. No-op if a later request gets
   * it, or if it was not for an edit.
   */
  end(requestId: string, state: 'WRITTEN' | 'LOST'): void;
  /** Deletes the rows that no repeat can find any more. */
  deleteOld(): Promise<void>;
  /** Waits for what `end` is storing, but no longer for a database that is away. Idempotent. */
  close(): Promise<void>;
}

interface Candidate {
  readonly jobId: string;
  readonly state: 'OPEN' | 'WRITTEN' | 'LOST';
  readonly sessionId: string;
  readonly isRecent: boolean;
  /** Whether the edit's outcome is unknown. */
  readonly isUnknown: boolean;
}

export function createResponses(options: {
  prisma: PrismaClient;
  /** Of this process. */
  sessionId: Database['sessionId'];
  log: Log;
}): Responses {
  const { prisma, sessionId, log } = options;
  const ending = new Set<Promise<void>>();
  const closed = new AbortController();

  async function storeEnd(requestId: string, state: 'WRITTEN' | 'LOST'): Promise<void> {
    while (!closed.signal.aborted) {
      try {
        await ofAllOwners(prisma).$executeRaw`
          UPDATE "EditResponse" SET state = ${state}::"ResponseState", "updatedAt" = now()
          WHERE "requestId" = ${requestId}::uuid`;
        return;
      } catch (error) {
        log.warn({ err: error }, 'cannot store the end of a response, trying again');
        await delay(RETRY_MS, undefined, { signal: closed.signal }).catch(() => {});
      }
    }
  }

  async function find(tx: Transaction, request: RepeatableRequest): Promise<string | null> {
    const { ownerId, inputSha256, apiKeyId, retryCount } = request;
    if (request.isNew) return null;
    const candidates = await tx.$queryRaw<Candidate[]>`
      SELECT response."jobId"::text AS "jobId", response.state::text AS state,
        response."sessionId"::text AS "sessionId",
        response."updatedAt" > now() - ${minutes(REPEAT_MINUTES)} AS "isRecent",
        job.status = 'OUTCOME_UNKNOWN' AS "isUnknown"
      FROM "EditResponse" AS response JOIN "EditJob" AS job ON job.id = response."jobId"
      WHERE ${ownedRows(ownerId, 'response')} AND ${ownedRows(ownerId, 'job')}
        AND response."inputSha256" = ${inputSha256}
        AND response."apiKeyId" IS NOT DISTINCT FROM ${apiKeyId}::text::uuid
        AND response."updatedAt" > now() - ${minutes(LOST_HOURS * 60)}
        AND job."deletedAt" IS NULL
        AND NOT (job.status = 'FAILED' AND job."errorCode" = ANY (${RETRYABLE}::text[]))
        AND NOT (job.status = 'OUTCOME_UNKNOWN'
          AND job."finishedAt" < now() - ${minutes(REPEAT_MINUTES)})
      ORDER BY response."updatedAt", response."jobId"`;
    const isLost = async (one: Candidate) =>
      one.state === 'LOST' ||
      (one.state === 'OPEN' &&
        one.sessionId !== sessionId &&
        (await hasSessionEnded(tx, one.sessionId)));
    for (const one of candidates.toReversed()) if (await isLost(one)) return one.jobId;
    // It may have been billed, and many clients repeat any 5xx without saying so.
    if (retryCount === 0) return candidates.findLast(({ isUnknown }) => isUnknown)?.jobId ?? null;
    // The connection may be half open: the client knows that it is lost, and this server does not.
    // The oldest one: equal requests made on purpose, each repeated, find an edit each.
    const open = candidates.find(({ state }) => state === 'OPEN');
    return (open ?? candidates.findLast(({ isRecent }) => isRecent))?.jobId ?? null;
  }

  return {
    async attach(request) {
      const { requestId, ownerId, inputSha256 } = request;
      // The client may be faster than the statement that says that its connection closed.
      await Promise.all(ending);
      return prisma.$transaction(async (tx) => {
        await lock(tx, request);
        const id = await find(tx, request);
        if (id === null) return null;
        await tx.$executeRaw`
          UPDATE "EditResponse" SET state = 'OPEN', "requestId" = ${requestId}::uuid,
            "sessionId" = ${sessionId}::uuid, "updatedAt" = greatest(now(), (
              -- Behind all equal ones, also within a millisecond or by a clock that was set back.
              SELECT max(equal."updatedAt") + interval '1 millisecond' FROM "EditResponse" AS equal
              WHERE ${ownedRows(ownerId, 'equal')} AND equal."inputSha256" = ${inputSha256}
            ))
          WHERE "jobId" = ${id}::uuid AND ${ownedRows(ownerId, 'EditResponse')}`;
        return { id };
      });
    },

    async open(tx, request, jobId) {
      await lock(tx, request);
      request.signal.throwIfAborted();
      if ((await find(tx, request)) !== null) throw new AlreadyRequestedError();
      const { requestId, ownerId, apiKeyId, inputSha256 } = request;
      await tx.editResponse.createMany({
        data: { jobId, ownerId, apiKeyId, inputSha256, requestId, sessionId },
      });
    },

    end(requestId, state) {
      const stored = storeEnd(requestId, state).finally(() => ending.delete(stored));
      ending.add(stored);
    },

    async deleteOld() {
      await ofAllOwners(prisma).$executeRaw`
        DELETE FROM "EditResponse" WHERE "updatedAt" < now() - ${minutes(LOST_HOURS * 60)}`;
    },

    async close() {
      closed.abort();
      await Promise.all(ending);
    },
  };
}

/** Makes equal requests wait for each other until the transaction ends. */
async function lock(
  tx: Pick<Transaction, '$executeRaw'>,
  { ownerId, inputSha256 }: RepeatableRequest,
): Promise<void> {
  await tx.$executeRaw`
    SELECT pg_advisory_xact_lock(
      hashtextextended(current_schema() || ${` request ${inputSha256} ${ownerId}`}, 0))`;
}

const minutes = (count: number) => Prisma.sql`make_interval(mins => ${count}::int)`;

/** An edit that failed with one of these was surely not processed: a repeat is a new edit. */
const RETRYABLE = Object.entries(EDIT_ERRORS).flatMap(([code, { retryable }]) =>
  retryable ? [code] : [],
);
