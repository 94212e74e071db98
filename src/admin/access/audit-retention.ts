import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { defineJob, type Queue } from '../../queue/queue.ts';
import type { RecurringWork } from '../../queue/recurring-jobs.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const EVERY_SECONDS = 24 * 60 * 60;

/** Deletes audit events that are older than AUDIT_RETENTION_DAYS. */
export const APPLY_AUDIT_RETENTION = defineJob<Record<string, never>>('apply-audit-retention', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

/** Deletes events that were recorded more than `days` days ago, and returns their number. */
export async function deleteOldAuditEvents(
  prisma: PrismaClient,
  days: number,
  now = new Date(),
): Promise<number> {
  const { count } = await ofAllOwners(prisma).auditEvent.deleteMany({
    where: { createdAt: { lt: new Date(now.getTime() - days * DAY_MS) } },
  });
  return count;
}

/** Starts to delete old audit events once a day. @param options.days Null: they are kept forever. */
export async function startAccessJobs(options: {
  prisma: PrismaClient;
  queue: Queue;
  recurring: RecurringWork;
  auditRetentionDays: number | null;
  log: Log;
}): Promise<void> {
  const { prisma, queue, recurring, auditRetentionDays: days, log } = options;
  if (days === null) return;
  queue.work(APPLY_AUDIT_RETENTION, {
    concurrency: 1,
    async handle() {
      const events = await deleteOldAuditEvents(prisma, days);
      log.info({ events }, 'deleted audit events older than AUDIT_RETENTION_DAYS');
    },
  });
  await recurring.start(APPLY_AUDIT_RETENTION, { everySeconds: EVERY_SECONDS });
}
