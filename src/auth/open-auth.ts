import type { AuthSettings } from '../config/auth-settings.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import { type AccessWatch, createAccessWatch } from './access-watch.ts';
import { createKnownKeys } from './api-keys/known-keys.ts';
import { createLastUses } from './api-keys/last-uses.ts';
import { type Authenticator, createAuthenticator } from './authenticator.ts';
import { createKnownOwners } from './known-owners.ts';
import { toScopes } from './scopes.ts';
import { readIssuersFile } from './tokens/issuers-file.ts';
import type { TokenIssuer, VerifyToken } from './tokens/verify-token.ts';

/** Whose credentials may have ended; `ANY` if that is not known. */
export type AccessChange =
  | { readonly keyId?: string | undefined; readonly ownerId?: string | undefined }
  | 'ANY';

/** Who may use the service, for every route. */
export interface OpenAuth {
  readonly authenticator: Authenticator;
  readonly accessWatch: AccessWatch;
  close(): Promise<void>;
}

/** @throws ConfigError for a file that cannot be used. */
export async function openAuth(options: {
  config: AuthSettings;
  prisma: PrismaClient;
  /** Calls the listener when credentials may have ended; returns the function that ends this. */
  subscribe: (listener: (change: AccessChange) => void) => () => void;
  log: Log;
}): Promise<OpenAuth> {
  const { config, prisma, subscribe, log } = options;
  const { issuersFile, header } = config;
  const issuers = issuersFile === null ? config.issuers : await readIssuersFile(issuersFile);

  const lastUses = createLastUses({ prisma, log });
  const keys = createKnownKeys({ prisma, onUse: lastUses.record });
  const knownOwners = createKnownOwners({ prisma });
  const authenticator = createAuthenticator({
    methods: {
      apiKeys: config.apiKeys ? keys : null,
      tokens: await verifierOf(issuers.map((one) => ({ ...one, scopes: toScopes(one.scopes) }))),
      proxyScopes: header && toScopes(header.scopes),
    },
    owners: knownOwners,
  });
  const accessWatch = createAccessWatch({ authenticator });
  const unsubscribe = subscribe((change) => {
    if (change === 'ANY') {
      keys.clear();
      knownOwners.clear();
    } else {
      if (change.keyId !== undefined) keys.forget(change.keyId);
      if (change.ownerId !== undefined) knownOwners.forget(change.ownerId);
    }
    accessWatch.check();
  });
  return {
    authenticator,
    accessWatch,
    async close() {
      unsubscribe();
      accessWatch.stop();
      await lastUses.stop();
    },
  };
}

/** Null without issuers, which need no library either. */
async function verifierOf(issuers: readonly TokenIssuer[]): Promise<VerifyToken | null> {
  if (issuers.length === 0) return null;
  const { createVerifyToken } = await import('./tokens/verify-token.ts');
  return createVerifyToken({ issuers });
}
