import type { AuthSettings } from '../config/auth-settings.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { Events } from '../queue/events.ts';
import { type AccessWatch, createAccessWatch } from './access-watch.ts';
import { type ActFor, createActFor } from './act-for.ts';
import { type ApiKeys, createApiKeys } from './api-keys/api-keys.ts';
import { createKnownKeys } from './api-keys/known-keys.ts';
import { createLastUses } from './api-keys/last-uses.ts';
import { type Audit, type AuditEvents, createAudit, createAuditEvents } from './audit.ts';
import { type Authenticator, createAuthenticator } from './authenticator.ts';
import { createKnownOwners } from './known-owners.ts';
import { createOwners, type Owners } from './owners.ts';
import { toScopes } from './scopes.ts';
import { readIssuersFile } from './tokens/issuers-file.ts';
import { createVerifyToken } from './tokens/verify-token.ts';

/** Who may use the service, for every route. */
export interface OpenAuth {
  readonly authenticator: Authenticator;
  readonly accessWatch: AccessWatch;
  readonly apiKeys: ApiKeys;
  readonly owners: Owners;
  readonly audit: Audit;
  readonly actFor: ActFor;
  readonly auditEvents: AuditEvents;
  close(): Promise<void>;
}

/** @throws ConfigError for a file that cannot be used. */
export async function openAuth(options: {
  config: AuthSettings;
  prisma: PrismaClient;
  events: Events;
  log: Log;
}): Promise<OpenAuth> {
  const { config, prisma, events, log } = options;
  const { issuersFile, header } = config;
  const issuers = issuersFile === null ? config.issuers : await readIssuersFile(issuersFile);

  const lastUses = createLastUses({ prisma, log });
  const keys = createKnownKeys({ prisma, onUse: lastUses.record });
  const knownOwners = createKnownOwners({ prisma });
  const authenticator = createAuthenticator({
    methods: {
      apiKeys: config.apiKeys ? keys : null,
      tokens:
        issuers.length === 0
          ? null
          : createVerifyToken({
              issuers: issuers.map((one) => ({ ...one, scopes: toScopes(one.scopes) })),
            }),
      proxyScopes: header && toScopes(header.scopes),
    },
    owners: knownOwners,
  });
  const accessWatch = createAccessWatch({ authenticator });
  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'missed') {
      keys.clear();
      knownOwners.clear();
    } else if (event.kind === 'access') {
      if (event.keyId !== undefined) keys.forget(event.keyId);
      if (event.ownerId !== undefined) knownOwners.forget(event.ownerId);
    } else return;
    accessWatch.check();
  });
  const audit = createAudit();
  return {
    authenticator,
    accessWatch,
    apiKeys: createApiKeys({ prisma, events, audit }),
    owners: createOwners({ prisma, events, audit }),
    audit,
    actFor: createActFor({ prisma, audit }),
    auditEvents: createAuditEvents({ prisma }),
    async close() {
      unsubscribe();
      accessWatch.stop();
      await lastUses.stop();
    },
  };
}
