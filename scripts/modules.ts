/**
 * The modules of src/, from the lowest to the highest. A module imports itself and lower ones only;
 * docs/architecture.md says what each is for. The page is not among them: no module imports it.
 */
export const MODULES = [
  'errors.ts',
  'log.ts',
  'telemetry',
  'config',
  'public-ids',
  'database',
  'queue',
  'paging',
  'auth',
  'net',
  'models',
  'limits',
  'usage',
  'images',
  'edits-api',
  'sandbox',
  'edits',
  'export',
  'webhooks',
  'admin',
  'schema',
  'http',
  'app',
  'cli',
  'main.ts',
];

/** GraphiQL's page is bundled for browsers: it and the service meet over HTTP only. */
export const PAGE = 'graphiql';
