import type { Audit, Auditor } from '../../auth/audit.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { PriceTable } from '../../models/prices.ts';
import type { ImageLinks } from '../../public-ids/image-links.ts';
import { countPriceable, createRepriceJobs } from '../../usage/reprice.ts';
import type { CommandInput, Commands } from './commands.ts';

/** Edits per call of `repriceJobs`, after each of which progress is reported. */
const REPRICED_AT_ONCE = 2_000;

/** The history of an owner as text, in pieces to be written. @throws InvalidInputError */
export type ExportHistory = (
  given: CommandInput<'exportEdits'>,
) => AsyncIterable<{ readonly text: string; readonly edits: number }>;

/** Given to the commands, since this module is below what parses the arguments. */
export type CreateExportHistory = (parts: {
  prisma: PrismaClient;
  imageLinks: ImageLinks;
}) => ExportHistory;

/** Commands on the edits of a history. */
export function createHistoryCommands(options: {
  prisma: PrismaClient;
  prices: PriceTable;
  exportHistory: ExportHistory;
  audit: Audit;
  actor: Auditor;
}): Pick<Commands, 'reprice' | 'exportEdits'> {
  const { prisma, prices, exportHistory, audit, actor } = options;
  const repriceJobs = createRepriceJobs({ prisma, prices, log: null });

  return {
    async reprice({ from, to, model }, { progress, signal }) {
      await audit.record(prisma, actor, {
        action: 'repriceJobs',
        object: { type: 'EditJob', id: model ?? 'all', ownerId: null },
        after: { from, to, model },
      });
      const edits = { from: dateOf(from), to: dateOf(to), model };
      const range = { ...edits, limit: REPRICED_AT_ONCE };
      const total = await countPriceable(prisma, edits);
      let [examined, repriced, unchanged, unknown] = [0, 0, 0, 0];
      for (let afterId: string | null = null; ; ) {
        const counts = await repriceJobs({ ...range, afterId }, signal);
        examined += counts.examined;
        repriced += counts.repriced;
        unchanged += counts.unchanged;
        unknown += counts.unknown;
        progress('edits', Math.min(examined, total), total);
        afterId = counts.lastId;
        if (afterId === null) return { examined, repriced, unchanged, unknown };
      }
    },

    async exportEdits(input, { write, progress, signal }) {
      let edits = 0;
      for await (const piece of exportHistory(input)) {
        signal.throwIfAborted();
        edits += piece.edits;
        progress('edits', edits, null);
        await write(piece.text);
      }
      return { edits };
    },
  };
}

const dateOf = (time: string | null) => (time === null ? null : new Date(time));
