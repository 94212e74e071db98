import type { Prisma, PrismaClient, Transaction } from '../../database/database.ts';
import { EDIT_ERRORS } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiError } from '../../edits-api/edits-api-error.ts';

/** After a response that the account has no credit, or that the key is invalid. */
const ACCOUNT_PAUSE_MS = 5 * 60_000;

/** The longest `Retry-After` that is followed: a mistaken one must not disable an upstream forever. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;

/** The first wait without a `Retry-After`; doubled each time the limit is met again. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5 * 60_000;

/** An upstream has recovered once it accepts so many requests at once, or this long after its pause. */
const RECOVERED_PLACES = 64;
const RECOVERED_AFTER_MS = 10 * 60_000;

/** The clocks of processes differ by less: one that is so far behind was set back. */
const CLOCK_SET_BACK_MS = 60_000;

/** How old this process's knowledge of the pauses may be. */
const MAX_AGE_MS = 1_000;

export interface Pause {
  readonly name: string;
  readonly until: Date;
  readonly code: string;
  readonly message: string;
}

/** After a pause, an upstream gets one call first, then as many as it proves to accept. */
export interface Recovering {
  /** Concurrent calls, of those sent since the pause. */
  readonly places: number;
  /** When the pause ended. */
  readonly since: Date;
}

/** The upstreams that get no calls now, or few. Shared by all processes. */
export interface Pauses {
  /** Current pauses; another process's may be missing for up to a second. */
  list(): Promise<readonly Pause[]>;
  /** By name, the upstreams whose pause has ended recently. */
  recovering(): Promise<ReadonlyMap<string, Recovering>>;
  /**
   * Pauses an upstream if its error concerns all requests: no credit or an invalid key (5 minutes), a
   * rate limit (as long as it says, and longer each time that it is met again), or any `Retry-After`.
   * At most a day.
   * @returns When the upstream gets calls again; null if the error does not pause it.
   */
  consider(name: string, error: EditsApiError): Promise<Date | null>;
  /** The upstream has accepted a call: it gets one more place. */
  accepted(name: string): Promise<void>;
  /** Ends a pause early. @param record Writes to the same transaction. */
  resume(name: string, record: (tx: Transaction) => Promise<void>): Promise<void>;
}

export function createPauses(options: {
  prisma: PrismaClient;
  /** @default Math.random */
  random?: () => number;
}): Pauses {
  const { prisma, random = Math.random } = options;
  let known: readonly (Pause & { readonly places: number })[] = [];
  let readMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const startedMs = performance.now();
    await followClock(prisma);
    known = await prisma.upstreamPause.findMany();
    readMs = startedMs;
  }

  /**
   * A pause that starts in the future was created before the clock was set back: it lasts for its
   * original duration from now.
   */
  async function followClock(tx: Prisma.TransactionClient): Promise<void> {
    const now = new Date();
    const latest = new Date(now.getTime() + CLOCK_SET_BACK_MS);
    await tx.$executeRaw`
      UPDATE "UpstreamPause" SET until = ${now}::timestamptz + (until - since), since = ${now}
      WHERE since > ${latest}`;
  }

  async function refresh(): Promise<typeof known> {
    if (performance.now() - readMs > MAX_AGE_MS) {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    return known;
  }

  const invalidate = () => {
    readMs = Number.NEGATIVE_INFINITY;
  };

  /** With jitter upwards, so that no call is sent before the time that the upstream named. */
  const backoffMs = (strikes: number) =>
    Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (strikes - 1)) * (1 + random() / 4);

  return {
    async list() {
      return (await refresh()).filter(({ until }) => until.getTime() > Date.now());
    },
    async recovering() {
      const now = Date.now();
      const recent = (await refresh()).filter(
        ({ until }) => until.getTime() <= now && until.getTime() > now - RECOVERED_AFTER_MS,
      );
      return new Map(recent.map(({ name, until, places }) => [name, { places, since: until }]));
    },
    async consider(name, { code, message, retryAfterSeconds }) {
      const { pausesUpstream, retryable } = EDIT_ERRORS[code];
      const askedMs = (retryAfterSeconds ?? 0) * 1_000;
      if (!pausesUpstream && askedMs <= 0) return null;
      const until = await prisma.$transaction(async (tx) => {
        const now = Date.now();
        const none = new Date(0);
        await tx.$executeRaw`
          INSERT INTO "UpstreamPause" (name, until, since, code, message, strikes)
          VALUES (${name}, ${none}, ${none}, ${code}, ${message}, 0) ON CONFLICT (name) DO NOTHING`;
        // Calls that are rejected at the same time are one strike.
        await tx.$executeRaw`SELECT FROM "UpstreamPause" WHERE name = ${name} FOR UPDATE`;
        await followClock(tx);
        const before = await tx.upstreamPause.findUniqueOrThrow({ where: { name } });
        const beforeMs = before.until.getTime();
        const earlier = beforeMs > now - RECOVERED_AFTER_MS ? before.strikes : 0;
        const strikes = beforeMs > now ? before.strikes : earlier + 1;
        const waitMs =
          pausesUpstream && !retryable ? ACCOUNT_PAUSE_MS : Math.max(askedMs, backoffMs(strikes));
        const untilMs = now + Math.ceil(Math.min(waitMs, MAX_PAUSE_MS));
        const isLonger = untilMs > beforeMs;
        await tx.upstreamPause.update({
          where: { name },
          data: {
            strikes,
            places: 1,
            ...(isLonger && { until: new Date(untilMs), since: new Date(now), code, message }),
          },
        });
        return new Date(Math.max(untilMs, beforeMs));
      });
      invalidate();
      return until;
    },
    async accepted(name) {
      const now = new Date();
      if (!(await refresh()).some((one) => one.name === name && one.until <= now)) return;
      await prisma.$executeRaw`
        UPDATE "UpstreamPause" SET places = places + 1, strikes = 0
        WHERE name = ${name} AND until <= ${now}`;
      await prisma.upstreamPause.deleteMany({
        where: { name, until: { lte: now }, places: { gte: RECOVERED_PLACES } },
      });
      invalidate();
    },
    async resume(name, record) {
      await prisma.$transaction(async (tx) => {
        await tx.upstreamPause.deleteMany({ where: { name } });
        await record(tx);
      });
      invalidate();
    },
  };
}
