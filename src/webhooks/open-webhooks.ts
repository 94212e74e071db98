import type { SecretKeys } from '../config/secret-key.ts';
import type { PrismaClient } from '../database/database.ts';
import type { InsertForEnd } from '../edits/end/end-edit.ts';
import type { ErrorReader } from '../edits/outcome-record.ts';
import type { Log } from '../log.ts';
import { createAddressGuard } from '../net/address-guard.ts';
import { createAllowedHosts } from '../net/allowed-hosts.ts';
import type { OutboundProxies } from '../net/outbound-proxies.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import type { ImageLinks } from '../public-ids/image-links.ts';
import type { Queue } from '../queue/queue.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createDeliverWebhook } from './deliver-webhook.ts';
import { DELIVER_WEBHOOK } from './delivery-queue.ts';
import { createInsertDeliveries } from './insert-deliveries.ts';
import { createPostWebhook } from './post-webhook.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

/** Deliveries that one process sends at once. */
const CONCURRENT_DELIVERIES = 32;

/** For the response's head, and again for its body. */
const TIMEOUT_MS = 15_000;

export interface OpenWebhooks {
  readonly webhooks: Webhooks;
  /** Inserts the deliveries of an edit that ends. */
  readonly insertDeliveries: InsertForEnd;
  /** Starts to send deliveries. @param baseUrl Origin of the links in them. */
  deliver(baseUrl: string): void;
  /** Closes the connections to endpoints. The queue must have been drained. */
  close(): Promise<void>;
}

/**
 * @param options.secretKeys Null: none is configured, so no webhook can be created or signed.
 * @param options.allowedHosts Hosts that may have private addresses.
 */
export function openWebhooks(options: {
  prisma: PrismaClient;
  queue: Queue;
  secretKeys: SecretKeys | null;
  imageLinks: Pick<ImageLinks, 'lastingUrl'>;
  allowedHosts: readonly string[];
  proxies: OutboundProxies;
  /** Who reads the messages: an admin, if the owner is the operator. */
  reader: ErrorReader;
  metrics: Metrics;
  log: Log;
}): OpenWebhooks {
  const { prisma, queue, secretKeys, imageLinks, allowedHosts, proxies, reader, log } = options;
  const { metrics } = options;
  const isAllowedHost = createAllowedHosts(allowedHosts);
  const guard = createAddressGuard({ allow: isAllowedHost, proxies });
  return {
    webhooks: createWebhooks({ prisma, queue, secretKeys, isAllowedHost }),
    insertDeliveries: createInsertDeliveries({ queue }),
    deliver(baseUrl) {
      queue.work(DELIVER_WEBHOOK, {
        concurrency: CONCURRENT_DELIVERIES,
        handle: createDeliverWebhook({
          prisma,
          queue,
          post: createPostWebhook({ guard, timeoutMs: TIMEOUT_MS }),
          secretKeys,
          reader,
          links: {
            globalId: encodeGlobalId,
            imageUrl: (id) => imageLinks.lastingUrl(baseUrl, id),
          },
          metrics,
          log,
        }),
      });
    },
    close: guard.close,
  };
}
