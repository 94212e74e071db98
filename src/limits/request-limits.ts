import { apiKeysOf, type Viewer } from '../auth/viewer.ts';
import { ofAllOwners, ownerOf } from '../auth/visible.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Events } from '../queue/events.ts';
import { type Metrics, NO_METRICS } from '../telemetry/metrics.ts';
import { limitExceeded } from './check-room.ts';
import type { LimitRow } from './limit-state.ts';
import { createRequestLeases, type Lease } from './request-leases.ts';

/** The list of limits is read again after this, although changes of it are notified. */
const LIFETIME_MS = 10_000;

/** A limit of requests per minute, as one process knows it after a request. */
export interface RequestQuota {
  /** Unique among the quotas of a viewer. */
  readonly name: string;
  /** Requests per minute. */
  readonly limit: bigint;
  readonly remaining: bigint;
  readonly resetSeconds: number;
}

/** Limits of requests per minute, of owners and API keys. */
export interface RequestLimits {
  /**
   * Counts a request in every limit that applies to the viewer. No statement if none applies, and
   * one for each block of requests otherwise.
   * @throws LimitExceededError if one has no request left in this minute: no limit counts it then.
   */
  take(viewer: Viewer): Promise<void>;
  /** What `take` has left of each limit. Empty: none applies. */
  quotas(viewer: Viewer): readonly RequestQuota[];
  stop(): void;
}

export function createRequestLimits(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'subscribe'>;
  /** @default off */
  metrics?: Metrics;
}): RequestLimits {
  const { prisma, events, metrics = NO_METRICS } = options;
  const leases = createRequestLeases({ prisma });
  const list = createLimitList(prisma);
  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'limit') leases.forget(event.limitId);
    else if (event.kind === 'missed') leases.clear();
    else return;
    list.invalidate();
  });

  const applying = (viewer: Viewer): readonly LimitRow[] =>
    list.isEmpty()
      ? []
      : [ownerName(ownerOf(viewer)), ...apiKeysOf(viewer).map(keyName)].flatMap(list.named);

  return {
    async take(viewer) {
      await list.ready();
      const taken: string[] = [];
      for (const row of applying(viewer)) {
        const result = await leases.take(row.id);
        if (result === null) continue;
        if (result.isTaken) {
          taken.push(row.id);
          continue;
        }
        for (const id of taken) leases.giveBack(id);
        metrics.increment('retouch_rejections_total', { limit: 'REQUESTS' });
        throw requestsExceeded(row, result.lease);
      }
    },

    quotas(viewer) {
      const names = new Map<string, number>();
      return applying(viewer).flatMap((row) => {
        const lease = leases.current(row.id);
        if (lease === null) return [];
        const name = row.subject === 'OWNER' ? 'owner' : 'api-key';
        const count = (names.get(name) ?? 0) + 1;
        names.set(name, count);
        return [quotaOf(count === 1 ? name : `${name}-${count}`, lease)];
      });
    },

    stop: unsubscribe,
  };
}

/** The limits of requests, as last read. */
function createLimitList(prisma: PrismaClient) {
  let byName: ReadonlyMap<string, readonly LimitRow[]> = new Map();
  /** Null: a change was notified since, or nothing was read yet. */
  let readMs: number | null = null;
  let reading: Promise<void> | undefined;
  let changes = 0;

  async function read(): Promise<void> {
    const [before, startedMs] = [changes, performance.now()];
    const rows = await ofAllOwners(prisma).limit.findMany({
      where: { measure: 'REQUESTS' },
      orderBy: { id: 'asc' },
    });
    // Otherwise it may be the earlier state.
    if (before !== changes) return;
    byName = Map.groupBy(rows, nameOf);
    readMs = startedMs;
  }

  function readOnce(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    async ready() {
      while (readMs === null) await readOnce();
      // No request waits for the database only because the list is old.
      if (performance.now() - readMs > LIFETIME_MS) void readOnce().catch(() => {});
    },
    invalidate() {
      changes += 1;
      readMs = null;
    },
    isEmpty: () => byName.size === 0,
    named: (name: string) => byName.get(name) ?? [],
  };
}

const ownerName = (ownerId: string) => `owner ${ownerId}`;
const keyName = (apiKeyId: string) => `key ${apiKeyId}`;

function nameOf({ ownerId, apiKeyId }: LimitRow): string {
  return apiKeyId === null ? ownerName(ownerId ?? '') : keyName(apiKeyId);
}

function quotaOf(name: string, lease: Lease): RequestQuota {
  const { amount, leased, left } = lease;
  const notLeased = amount > leased ? amount - leased : 0n;
  return {
    name,
    limit: amount,
    remaining: notLeased + BigInt(left),
    resetSeconds: Math.ceil(lease.untilResetMs() / 1_000),
  };
}

function requestsExceeded(row: LimitRow, lease: Lease) {
  const { amount, leased, resetsAt } = lease;
  const used = leased;
  const state = { ...row, amount, used, remaining: 0n, exceededBy: 0n, resetsAt };
  // As the database's clock says, which decides when the minute ends.
  return limitExceeded(state, {}, new Date(resetsAt.getTime() - lease.untilResetMs()));
}
