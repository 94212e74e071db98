import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { openSecretKeys } from '../../config/secret-key.ts';
import { CREATE_ADMIN_KEY } from '../auth-notes.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { MIGRATIONS } from './database-checks.ts';
import { fault, type Outcome, ok, warn } from './finding.ts';

const URLS = ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATA_DIR'] as const;

/** Checks that compare the settings with what is stored. */
export const STORED_CHECKS: readonly Check[] = [
  {
    name: 'SECRET_KEY',
    settings: ['SECRET_KEY', 'PREVIOUS_SECRET_KEYS', ...URLS],
    after: () => MIGRATIONS,
    run: checkSecretKey,
  },
  {
    name: 'API keys',
    settings: ['AUTH_API_KEYS', ...URLS],
    after: () => MIGRATIONS,
    run: checkApiKeys,
  },
];

async function checkSecretKey(context: DoctorContext): Promise<Outcome> {
  const { config } = context;
  const keys = await readSecretKeys(config);
  const stored = await readStored(context);
  const webhooks = stored?.webhookKeys ?? [];
  const lost = webhooks.filter(({ id }) => keys?.find(id) === undefined);
  const sum = (of: typeof webhooks) => of.reduce((total, one) => total + one.webhooks, 0);
  if (lost.length > 0) {
    return fault(
      `the secrets of ${sum(lost)} webhooks are derived from another key, so nothing is delivered to them`,
      'Set SECRET_KEY (without it, secret.key in DATA_DIR) to the old key, or add the old key to PREVIOUS_SECRET_KEYS; if it is lost, rotate the secret of each webhook (rotateWebhookSecret).',
    );
  }
  if (webhooks.length > 0) return ok(`the secrets of all ${sum(webhooks)} webhooks derive from it`);
  if (keys !== null) return ok('valid; no webhook uses it yet');
  return config.database.kind === 'pglite'
    ? ok('none yet: the first start generates secret.key in DATA_DIR')
    : ok('not set: webhooks are not available');
}

/** The key of the settings, or of a file that exists: this generates none. */
function readSecretKeys(config: Config) {
  const file = config.database.kind === 'pglite' ? join(config.dataDir, 'secret.key') : null;
  return openSecretKeys({
    configured: config.secretKey,
    file: file !== null && existsSync(file) ? file : null,
    previous: config.previousSecretKeys,
  });
}

async function checkApiKeys(context: DoctorContext): Promise<Outcome | null> {
  if (!context.config.auth.apiKeys) return null;
  const stored = await readStored(context);
  const count = stored?.adminKeys ?? 0;
  if (count > 0) return ok(`${count} with the scope admin are valid`);
  return warn(
    'AUTH_API_KEYS is on, and no valid key has the scope admin',
    `To create one for AUTH_API_KEYS: ${CREATE_ADMIN_KEY}`,
  );
}

/** Null: the tables are not there yet. */
async function readStored({ data, stored }: DoctorContext) {
  const found = await data();
  if (found.kind === 'open') {
    const { findMissingMigrations, readMigrations } = await import('../../database/migrations.ts');
    const missing = await findMissingMigrations(found.database);
    if (missing.length === (await readMigrations()).length) return null;
  }
  return stored();
}
