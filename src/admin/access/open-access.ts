import { type Audit, createAudit } from '../../auth/audit.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Events } from '../../queue/events.ts';
import { type ActFor, createActFor } from './act-for.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type AuditEvents, createAuditEvents } from './audit-events.ts';
import { createOwners, type Owners } from './owners.ts';

/** What admins, and owners of keys, manage. */
export interface OpenAccess {
  readonly audit: Audit;
  readonly apiKeys: ApiKeys;
  readonly owners: Owners;
  readonly actFor: ActFor;
  readonly auditEvents: AuditEvents;
}

export function openAccess(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
}): OpenAccess {
  const audit = createAudit();
  return {
    audit,
    apiKeys: createApiKeys({ ...options, audit }),
    owners: createOwners({ ...options, audit }),
    actFor: createActFor({ ...options, audit }),
    auditEvents: createAuditEvents(options),
  };
}
