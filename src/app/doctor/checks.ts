import type { Check } from './check.ts';
import { DATA_DIR_CHECKS } from './data-dir-checks.ts';
import { DATABASE_CHECKS } from './database-checks.ts';
import { HOST_CHECKS } from './host-checks.ts';
import { SETTING_CHECKS } from './setting-checks.ts';
import { STORAGE_CHECK } from './storage-check.ts';
import { STORED_CHECKS } from './stored-checks.ts';
import { UPSTREAM_CHECKS } from './upstream-checks.ts';

/** Every check, in the order of the output. */
export const CHECKS: readonly Check[] = [
  ...SETTING_CHECKS,
  ...HOST_CHECKS,
  ...DATA_DIR_CHECKS,
  ...DATABASE_CHECKS,
  ...STORED_CHECKS,
  STORAGE_CHECK,
  ...UPSTREAM_CHECKS,
];
