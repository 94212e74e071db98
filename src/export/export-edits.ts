import { asOwner, type Viewer } from '../auth/viewer.ts';
import type { PrismaClient } from '../database/database.ts';
import type { History } from '../edits/history/history.ts';
import type { HistoryQuery } from '../edits/history/history-query.ts';
import { inHistory } from '../edits/history/in-history.ts';
import type { ImageLinks } from '../public-ids/image-links.ts';
import { type EditRecord, RECORD_FIELDS, toEditRecord } from './edit-record.ts';

/** Maximum number of edits in memory: each may have a prompt of 32,000 characters. */
const BATCH = 100;

/**
 * All edits of the viewer that match the query, in its order, read as the consumer pulls them. Edits
 * created or deleted during the export may or may not be included. In an order other than by creation,
 * an edit that ends during the export may appear twice or not at all.
 */
export type ExportEdits = (
  viewer: Viewer,
  query: HistoryQuery,
  baseUrl: string,
) => AsyncGenerator<EditRecord, void, undefined>;

export function createExportEdits(options: {
  prisma: PrismaClient;
  history: Pick<History, 'pages'>;
  imageLinks: Pick<ImageLinks, 'lastingUrl'>;
}): ExportEdits {
  const { prisma, history, imageLinks } = options;

  return async function* exportEdits(reader, query, baseUrl) {
    const viewer = asOwner(reader);
    const imageUrl = (id: string) => imageLinks.lastingUrl(baseUrl, id);
    for await (const page of history.pages(viewer, query)) {
      for (let start = 0; start < page.length; start += BATCH) {
        const ids = page.slice(start, start + BATCH);
        const jobs = await prisma.editJob.findMany({
          where: { id: { in: ids }, ...inHistory(viewer) },
          include: RECORD_FIELDS,
        });
        const byId = new Map(jobs.map((job) => [job.id, job]));
        for (const id of ids) {
          const job = byId.get(id);
          if (job !== undefined) yield toEditRecord(job, { imageUrl, reader });
        }
      }
    }
  };
}
