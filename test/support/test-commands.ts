import { type CommandRun, UNHEARD } from '../../src/admin/commands/commands.ts';
import { createCommands } from '../../src/admin/commands/create-commands.ts';
import { createExportHistory } from '../../src/app/export-history.ts';
import type { Database } from '../../src/database/database.ts';
import type { BlobStore } from '../../src/images/storage/blob-store.ts';
import { createPriceTable } from '../../src/models/prices.ts';
import { createImageLinks } from '../../src/public-ids/image-links.ts';
import type { Events } from '../../src/queue/events.ts';

/** The commands on parts that a test has opened, without prices. */
export function createTestCommands(parts: {
  database: Database;
  events: Pick<Events, 'publish'>;
  blobs: BlobStore;
  dir: string;
}) {
  return createCommands({
    ...parts,
    dataDir: parts.dir,
    prices: createPriceTable(() => []),
    imageLinks: createImageLinks({ keys: null, lastingSeconds: 60 }),
    createExportHistory,
  });
}

/** A run of a command whose progress and output nobody reads. */
export const QUIET: CommandRun = {
  ...UNHEARD,
  signal: new AbortController().signal,
};
