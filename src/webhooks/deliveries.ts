import type { Viewer } from '../auth/viewer.ts';
import { visibleRows } from '../auth/visible.ts';
import { Prisma } from '../database/database.ts';
import { byId, type ListSource } from '../paging/lists.ts';

/** The deliveries to webhooks, newest first. */
export function deliveriesTo(viewer: Viewer): ListSource {
  return {
    ...byId(Prisma.sql`delivery.id`, 'DESC'),
    hasDuplicates: false,
    rows: (of) => ({
      from: Prisma.sql`"WebhookDelivery" AS delivery`,
      where: [Prisma.sql`delivery."endpointId" = ${of}`, visibleRows(viewer, 'delivery')],
    }),
  };
}
