import type { Auditor } from '../../auth/audit.ts';
import { OPERATOR } from '../../auth/viewer.ts';
import type { Database } from '../../database/database.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { PriceTable } from '../../models/prices.ts';
import type { ImageLinks } from '../../public-ids/image-links.ts';
import type { Events } from '../../queue/events.ts';
import { openAccess } from '../access/open-access.ts';
import { createAssignHistory } from '../assign/assign-history.ts';
import { createTakeSnapshot } from '../backup/take-snapshot.ts';
import { verifyInstallation } from '../backup/verify.ts';
import type { Commands } from './commands.ts';
import { type CreateExportHistory, createHistoryCommands } from './history.ts';
import { createInspect } from './inspect.ts';
import { createKeyCommands } from './keys.ts';
import { createOwnerCommands } from './owners.ts';

/** Commands come with no request. */
const ACTOR: Auditor = { viewer: OPERATOR, requestId: null };

/** The commands on a database and a blob store that this process has opened. */
export function createCommands(options: {
  database: Database;
  events: Pick<Events, 'publish'>;
  blobs: BlobStore;
  dataDir: string;
  prices: PriceTable;
  imageLinks: ImageLinks;
  createExportHistory: CreateExportHistory;
}): Commands {
  const { database, events, blobs, dataDir, prices, imageLinks, createExportHistory } = options;
  const { prisma } = database;
  const { audit, apiKeys, owners } = openAccess({ prisma, events });
  const actor = ACTOR;
  const exportHistory = createExportHistory({ prisma, imageLinks });
  return {
    ...createKeyCommands({ prisma, apiKeys, actor }),
    ...createOwnerCommands({ prisma, owners, actor }),
    inspect: createInspect({ prisma }),
    ...createHistoryCommands({ prisma, prices, exportHistory, audit, actor }),
    takeSnapshot: createTakeSnapshot({ database, dataDir }),
    verify: async (_, { progress, signal }) => {
      const { faults, ...counts } = await verifyInstallation(
        { prisma, blobs },
        { progress, signal },
      );
      return { ...counts, faults: [...faults] };
    },
    assignHistory: createAssignHistory({ prisma, events, blobs, audit, actor }),
  };
}
