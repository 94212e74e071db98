import type { Auditor } from '../../auth/audit.ts';
import { OPERATOR } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { Events } from '../../queue/events.ts';
import { openAccess } from '../access/open-access.ts';
import { createAssignHistory } from '../assign/assign-history.ts';
import type { Commands } from './commands.ts';
import { createInspect } from './inspect.ts';
import { createKeyCommands } from './keys.ts';
import { createOwnerCommands } from './owners.ts';

/** Commands come with no request. */
const ACTOR: Auditor = { viewer: OPERATOR, requestId: null };

/** The commands on a database and a blob store that this process has opened. */
export function createCommands(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  blobs: BlobStore;
}): Commands {
  const { prisma, events, blobs } = options;
  const { audit, apiKeys, owners } = openAccess({ prisma, events });
  const actor = ACTOR;
  return {
    ...createKeyCommands({ prisma, apiKeys, actor }),
    ...createOwnerCommands({ prisma, owners, actor }),
    inspect: createInspect({ prisma }),
    assignHistory: createAssignHistory({ prisma, events, blobs, audit, actor }),
  };
}
