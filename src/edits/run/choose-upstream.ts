import type { Prisma, PrismaClient } from '../../database/database.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Pauses, Recovering } from './upstream-pauses.ts';

/** How soon a job is looked at again whose upstreams are all busy or left alone, in milliseconds. */
const BUSY_MS = 1_000;
const OPEN_CIRCUIT_MS = 10_000;
/** A pause may be ended before its time, and an edits API for the model may be configured. */
const LONGEST_WAIT_MS = 60_000;

export type Choice =
  | { readonly upstream: Upstream }
  /** None can take it before this time. */
  | { readonly notBefore: Date };

/**
 * Which edits API a job goes to. Called before the transaction that claims the job, as it may read
 * what it knows of pauses again; answers what to call in it.
 */
export type ChooseUpstream = () => Promise<
  (
    tx: Prisma.TransactionClient,
    job: { model: string; attempts: readonly { upstream: string }[] },
  ) => Promise<Choice>
>;

/**
 * Of those that serve the model: not paused, a place free, circuit closed or due to be tried; first
 * those that have failed this job least often, then by priority.
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
 * How many edits can be taken beside the `running` ones of this process: while none can, a queue of
 * ten thousand edits is best left where it is. An upstream whose circuit is due to be tried has one
 * place; one that recovers from a pause has as many as it has shown to accept. Other processes may
 * take the same places at the same time: a claim counts again.
 */
export function createFreePlaces(options: {
  prisma: PrismaClient;
  upstreams: Upstreams;
  pauses: Pauses;
  workerId: string;
}): (running: number) => Promise<number> {
  const { prisma, upstreams, pauses, workerId } = options;

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
    const elsewhere = await prisma.editAttempt.count({
      where: { state: 'SENT', upstream: { in: names }, workerId: { not: workerId } },
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

/** Counted under a lock, so that two processes cannot take the last place both. */
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

/** Calls that are out, of those sent since then. */
function countSent(
  client: Prisma.TransactionClient,
  upstream: string,
  since?: Date,
): Promise<number> {
  return client.editAttempt.count({
    where: { state: 'SENT', upstream, ...(since && { sentAt: { gte: since } }) },
  });
}
