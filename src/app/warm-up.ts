import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EMPTY_DATABASE, initializeDatabase } from '../database/new-database.ts';
import { ENVIRONMENT, NODE_FLAGS } from './node-options.ts';

/**
 * `npm run build:start`: does once what each start or each first start would do, and leaves it in
 * build/: an empty database, and the compiled code of the service. `npm ci` runs it, and the
 * Dockerfile.
 */
const fresh = `${EMPTY_DATABASE}.new`;
await rm(fresh, { recursive: true, force: true });
await initializeDatabase(fresh);
await rm(EMPTY_DATABASE, { recursive: true, force: true });
await rename(fresh, EMPTY_DATABASE);

if (process.platform !== 'win32' && process.execve) {
  // V8 uses what it has compiled only under the same flags.
  const flags = [...NODE_FLAGS, '--disable-warning=ExperimentalWarning'];
  const args = [process.execPath, ...flags, join(import.meta.dirname, '../main.ts'), '--load-only'];
  process.execve(process.execPath, args, { ...ENVIRONMENT });
}
