import type { Audit, Auditor } from '../../auth/audit.ts';
import { type Viewer, viewerWith } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import { createHistory } from '../../edits/history/history.ts';
import type { HistoryQuery } from '../../edits/history/history-query.ts';
import { createExportEdits } from '../../export/export-edits.ts';
import { EXPORT_FORMATS } from '../../export/formats.ts';
import type { PriceTable } from '../../models/prices.ts';
import type { ImageLinks } from '../../public-ids/image-links.ts';
import { createRepriceJobs } from '../../usage/reprice.ts';
import { progressLines } from '../backup/progress.ts';
import type { Commands } from './commands.ts';

/** Edits per call of `repriceJobs`, after each of which progress is reported. */
const REPRICED_AT_ONCE = 2_000;

/** UTF-16 code units per write. */
const CHUNK_CHARACTERS = 64 * 1024;

/** Parses the arguments of `editJobs`, as JSON. @throws InvalidInputError */
export type ReadHistoryQuery = (given: {
  filter: string | null;
  search: string | null;
  orderBy: string | null;
}) => Promise<HistoryQuery>;

/** Commands on the edits of a history. */
export function createHistoryCommands(options: {
  prisma: PrismaClient;
  prices: PriceTable;
  imageLinks: ImageLinks;
  readHistoryQuery: ReadHistoryQuery;
  audit: Audit;
  actor: Auditor;
}): Pick<Commands, 'reprice' | 'exportEdits'> {
  const { prisma, prices, imageLinks, readHistoryQuery, audit, actor } = options;
  const repriceJobs = createRepriceJobs({ prisma, prices });
  const exportEdits = createExportEdits({ prisma, history: createHistory({ prisma }), imageLinks });

  return {
    async reprice({ from, to, model }, { onProgress, signal }) {
      const progress = progressLines(onProgress);
      await audit.record(prisma, actor, {
        action: 'repriceJobs',
        object: { type: 'EditJob', id: model ?? 'all', ownerId: null },
        after: { from, to, model },
      });
      const range = { from: dateOf(from), to: dateOf(to), model, limit: REPRICED_AT_ONCE };
      let [examined, repriced, unchanged, unknown] = [0, 0, 0, 0];
      for (let afterId: string | null = null; ; ) {
        const counts = await repriceJobs({ ...range, afterId }, signal);
        examined += counts.examined;
        repriced += counts.repriced;
        unchanged += counts.unchanged;
        unknown += counts.unknown;
        progress('edits', examined, null);
        afterId = counts.lastId;
        if (afterId === null) return { examined, repriced, unchanged, unknown };
      }
    },

    async exportEdits({ ownerId, format: name, baseUrl, ...given }, { write, onProgress, signal }) {
      const progress = progressLines(onProgress);
      const format = EXPORT_FORMATS[name];
      if (format === undefined) throw new Error(`there is no format ${name}`);
      const query = await readHistoryQuery(given);
      let edits = 0;
      let chunk = format.head;
      for await (const edit of exportEdits(viewerOfOwner(ownerId), query, baseUrl)) {
        signal.throwIfAborted();
        chunk += format.write(edit);
        edits += 1;
        progress('edits', edits, null);
        if (chunk.length < CHUNK_CHARACTERS) continue;
        await write(chunk);
        chunk = '';
      }
      if (chunk !== '') await write(chunk);
      return { edits };
    },
  };
}

/** An admin who reads the history of an owner. */
const viewerOfOwner = (ownerId: string): Viewer =>
  viewerWith({ ownerId, scopes: ['ADMIN'], credential: { kind: 'NONE' } });

const dateOf = (time: string | null) => (time === null ? null : new Date(time));
