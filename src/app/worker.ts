import { startAccessJobs } from '../admin/access/audit-retention.ts';
import type { Config } from '../config/config.ts';
import { startEditJobs } from '../edits/edit-jobs.ts';
import { openEditRunner } from '../edits/edit-runner.ts';
import { startModelLists } from '../edits-api/models/read-model-lists.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { startImageJobs } from '../images/open-images.ts';
import type { Log } from '../log.ts';
import { createRecurringWork } from '../queue/recurring-jobs.ts';
import type { SharedParts } from './shared-parts.ts';
import { openUpstreams } from './upstreams.ts';

/** The half that runs queue jobs: edits, recovery, thumbnails, deletion and webhooks. */
export interface WorkerHalf {
  /** With this process's circuits. */
  readonly upstreams: readonly KnownUpstream[];
  /** Starts to deliver webhooks. @param baseUrl Origin of the links in them. */
  deliverWebhooks(baseUrl: string): void;
  /** Takes no more queue jobs, waits `graceMs` for running ones, then aborts them. */
  drain(options: { graceMs: number }): Promise<void>;
  close(): Promise<void>;
}

/** Ends the attempts of crashed processes, then starts to take queue jobs. */
export async function openWorker(options: {
  shared: SharedParts;
  config: Config;
  log: Log;
}): Promise<WorkerHalf> {
  const { shared, config, log } = options;
  const { prisma, events, queue, images, webhooks, dirs, traces } = shared;
  const { editsApi, outboundProxies: proxies, retentionDays, auditRetentionDays } = config;
  await using opened = new AsyncDisposableStack();

  const { upstreams, listReaders: readers } = opened.adopt(
    await openUpstreams({ editsApi, proxies, staging: images.staging, traces, log }),
    (it) => it.close(),
  );
  // No queue job may run when the parts above are closed, even after a failed start.
  opened.defer(() => queue.drain({ graceMs: 0 }));
  const { answerFiles } = opened.adopt(
    await openEditRunner({ ...shared, upstreams, answersDir: dirs.answers, config, log }),
    (it) => it.close(),
  );
  const recurring = opened.adopt(createRecurringWork({ prisma, queue, log }), (it) => it.stop());
  await startImageJobs({ ...shared, recurring, log });
  await startAccessJobs({ prisma, queue, recurring, auditRetentionDays, log });
  await startEditJobs({ ...shared, answerFiles, recurring, retentionDays, log });
  const modelLists = opened.adopt(
    await startModelLists({ readers, prisma, events, queue, recurring, log }),
    (it) => it.stop(),
  );

  const parts = opened.move();
  return {
    upstreams: upstreams.all,
    deliverWebhooks: webhooks.deliver,
    drain(options) {
      modelLists.stop();
      return queue.drain(options);
    },
    close: () => parts.disposeAsync(),
  };
}
