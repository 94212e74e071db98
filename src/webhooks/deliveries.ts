import type { Viewer } from '../auth/viewer.ts';
import { visibleRows } from '../auth/visible.ts';
import { Prisma } from '../database/database.ts';
import { byId, type ListSource } from '../paging/lists.ts';

/** The deliveries to webhooks, newest first. */
export function deliveriesTo(viewer: Viewer): ListSource {
  return {
    ...byId(Prisma.sql`delivery.id`, 'DESC'),
    hasDuplicates: false,
    rows: (of) => Prisma.sql`"WebhookDelivery" AS delivery
      WHERE delivery."endpointId" = ${of} AND ${visibleRows(viewer, 'delivery')}`,
  };
}
