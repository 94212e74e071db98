import { ofAllOwners } from '../../auth/visible.ts';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Pauses, Recovering } from './upstream-pauses.ts';

/** How soon a job is tried again while all its upstreams are busy, or have an open circuit. */
const BUSY_MS = 1_000;
const OPEN_CIRCUIT_MS = 10_000;
/** A pause may be ended early, and an upstream that serves the model may be configured. */
const LONGEST_WAIT_MS = 60_000;

export type Choice =
  | { readonly upstream: Upstream }
  /** No upstream can take it before this time. */
  | { readonly notBefore: Date };

/**
 * Chooses the upstream of a job. Called before the transaction that claims the job, as it may read
 * pauses from the database; returns the function to call in that transaction.
 */
export type ChooseUpstream = () => Promise<
  (
    tx: Prisma.TransactionClient,
    job: { model: string; attempts: readonly { upstream: string }[] },
  ) => Promise<Choice>
>;

/**
 * Among the upstreams that serve the model: not paused, with a free place, and with a circuit that is
 * closed or due to be tried; first those that have failed this job least often, then by priority.
 */
export function createChooseUpstream(options: {
  upstreams: Upstreams;
  pauses: Pauses;
}): ChooseUpstream {
  const { upstreams, pauses } = options;

  return async () => {
    const paused = new Map((await pauses.list()).map(({ name, until }) => [name, until]));
    const recovering = await pauses.recovering();
    return async (tx, { model, attempts }) => {
      const failures = ({ name }: Upstream) =>
        attempts.filter(({ upstream }) => upstream === name).length;
      const candidates = upstreams
        .serving(model)
        .toSorted((a, b) => failures(a) - failures(b) || a.priority - b.priority);
      const times: number[] = [];
      for (const upstream of candidates) {
        const until = paused.get(upstream.name);
        if (until !== undefined) times.push(until.getTime());
        else if (!upstream.isClosed() && !upstream.isTrialDue()) {
          times.push(Date.now() + OPEN_CIRCUIT_MS);
        } else if (!(await hasPlace(tx, upstream, recovering.get(upstream.name))))
          times.push(Date.now() + BUSY_MS);
        else if (upstream.admit()) return { upstream };
        else times.push(Date.now() + OPEN_CIRCUIT_MS);
      }
      return { notBefore: new Date(Math.min(...times, Date.now() + LONGEST_WAIT_MS)) };
    };
  };
}

/**
 * How many edits can be claimed beside the `running` ones of this process: while none can, a queue of
 * ten thousand edits need not be read. An upstream whose circuit is due to be tried has one place;
 * one that recovers from a pause has as many as it has proved to accept. Other processes may take the
 * same places at the same time: each claim counts again.
 */
export function createFreePlaces(options: {
  prisma: PrismaClient;
  upstreams: Upstreams;
  pauses: Pauses;
  processId: string;
}): (running: number) => Promise<number> {
  const { prisma, upstreams, pauses, processId } = options;

  async function freeOfRecovering({ name }: Upstream, recovering: Recovering): Promise<number> {
    return Math.max(0, recovering.places - (await countSent(prisma, name, recovering.since)));
  }

  async function freeOf(all: readonly Upstream[], running: number): Promise<number> {
    const places = all.reduce(
      (sum, { concurrency }) => sum + (concurrency ?? Number.POSITIVE_INFINITY),
      0,
    );
    if (all.length === 0 || places === Number.POSITIVE_INFINITY) return places;
    const names = all.map(({ name }) => name);
    const elsewhere = await ofAllOwners(prisma).editAttempt.count({
      where: { state: 'SENT', upstream: { in: names }, processId: { not: processId } },
    });
    return Math.max(0, places - running - elsewhere);
  }

  return async (running) => {
    const paused = new Set((await pauses.list()).map(({ name }) => name));
    const recovering = await pauses.recovering();
    const all = upstreams.all.filter(({ name }) => !paused.has(name));
    const closed = all.filter((upstream) => upstream.isClosed());
    let free = all.filter((upstream) => upstream.isTrialDue()).length;
    free += await freeOf(
      closed.filter(({ name }) => !recovering.has(name)),
      running,
    );
    for (const upstream of closed) {
      const its = recovering.get(upstream.name);
      if (its !== undefined) free += await freeOfRecovering(upstream, its);
    }
    return free;
  };
}

/** Counted under a lock, so that two processes cannot both take the last place. */
async function hasPlace(
  tx: Prisma.TransactionClient,
  { name, concurrency }: Upstream,
  recovering: Recovering | undefined,
): Promise<boolean> {
  if (concurrency === null && recovering === undefined) return true;
  await tx.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ${` upstream ${name}`}, 0))`;
  if (concurrency !== null && (await countSent(tx, name)) >= concurrency) return false;
  if (recovering === undefined) return true;
  return (await countSent(tx, name, recovering.since)) < recovering.places;
}

/** Open attempts that were sent since then. */
function countSent(
  client: Prisma.TransactionClient,
  upstream: string,
  since?: Date,
): Promise<number> {
  return ofAllOwners(client).editAttempt.count({
    where: { state: 'SENT', upstream, ...(since && { sentAt: { gte: since } }) },
  });
}
