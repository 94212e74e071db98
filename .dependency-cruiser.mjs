/**
 * The house's layers, from the ground up. A file imports from its own layer and from lower ones;
 * docs/architecture.md says what each is for.
 */
const LAYERS = [
  [
    'ground',
    '^src/(errors|setting-schemas|setting-mistakes|private-directory|edit-error-codes|settings|config|disk-space|durable-files|storage-access|lull|process-options|secret-key|storage-url|database-url)\\.ts$',
  ],
  ['log', '^src/log\\.ts$'],
  ['adapters', '^src/(database|generated|net)/'],
  ['events', '^src/events\\.ts$'],
  ['queue', '^src/(queue|queue-dispatcher|queue-owner|recurring-work)\\.ts$'],
  ['auth', '^src/auth/'],
  ['models', '^src/models/'],
  ['images and usage', '^src/(images|usage)/'],
  ['edits-api', '^src/edits-api/'],
  ['edits', '^src/edits/'],
  ['webhooks', '^src/webhooks/'],
  ['schema', '^src/schema/'],
  ['http', '^src/http/'],
  ['foundation', '^src/(foundation|open-upstreams|queues|start-failure)\\.ts$'],
  ['housekeeping', '^src/housekeeping\\.ts$'],
  ['halves', '^src/(api|worker)\\.ts$'],
  ['app', '^src/app\\.ts$'],
  ['main', '^src/(main|start)\\.ts$'],
];

const down = LAYERS.slice(0, -1).map(([name, path], level) => ({
  name: `only-down-from-${name.replaceAll(' ', '-')}`,
  severity: 'error',
  from: { path },
  to: {
    path: LAYERS.slice(level + 1).map(([, above]) => above),
  },
}));

/** GraphiQL's page is bundled for browsers: it and the service meet over HTTP only. */
const PAGE = '^src/graphiql/';

/** A vendor's package, and the only places that may know it. */
const only = (name, places, packages) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: [...places, PAGE] },
  to: { path: packages.map((pkg) => `^(node_modules/)?${pkg}(/|$)`) },
});

export default {
  forbidden: [
    ...down,
    {
      name: 'every-file-has-a-layer',
      comment: 'Give a new file or folder of src/ its place in LAYERS.',
      severity: 'error',
      from: { path: '^src/', pathNot: PAGE },
      to: { path: '^src/', pathNot: [...LAYERS.map(([, path]) => path), PAGE] },
    },
    {
      name: 'page-stands-alone',
      comment: 'It is bundled for browsers. It and the service meet over HTTP only.',
      severity: 'error',
      from: { path: PAGE },
      to: { path: '^(src|test|bench|scripts)/', pathNot: PAGE },
    },
    {
      name: 'service-needs-no-page',
      severity: 'error',
      from: { path: '^src/', pathNot: PAGE },
      to: { path: PAGE },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: '^src/generated/' },
      to: { circular: true },
    },
    only(
      'graphql-only-in-schema-and-http',
      ['^src/(schema|http)/', '^src/generated/pothos\\.ts$'],
      ['graphql', 'graphql-[^/]+', '@graphql-yoga', '@pothos'],
    ),
    only(
      'database-packages-only-in-database',
      ['^src/(database|generated)/', '^src/schema/builder\\.ts$'],
      ['@prisma', 'pg', '@electric-sql', 'pglite-prisma-adapter'],
    ),
    {
      name: 'generated-client-only-in-database',
      comment: 'Others take the client from src/database/database.ts. Enums hold no client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(database|generated)/', '^src/schema/builder\\.ts$'] },
      to: { path: '^src/generated/', pathNot: '^src/generated/prisma/enums\\.ts$' },
    },
    only(
      'pg-boss-only-in-queue',
      ['^src/queue(-dispatcher)?\\.ts$', '^src/database/'],
      ['pg-boss'],
    ),
    only('undici-only-towards-the-edits-api', ['^src/(edits-api|net)/'], ['undici']),
    only('aws-sdk-only-in-the-s3-blob-store', ['^src/images/s3-'], ['@aws-sdk', '@smithy']),
    {
      name: 'aws-sdk-only-when-needed',
      comment: 'It takes memory that a service without S3 has no use for: import() it.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^(node_modules/)?(@aws-sdk|@smithy)/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    only('sharp-only-for-images', ['^src/images/', '^src/edits-api/sandbox/'], ['sharp']),
    {
      name: 'sandbox-only-by-its-wire-format',
      comment:
        'One client serves both, so only the composition root knows which edits API is called.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/open-upstreams\\.ts$', '^src/edits-api/sandbox/'],
      },
      to: { path: '^src/edits-api/sandbox/' },
    },
    {
      name: 'sandbox-reads-the-wire-by-itself',
      comment:
        'It is a second reading of the format: sharing code with the client would hide errors.',
      severity: 'error',
      from: { path: '^src/edits-api/sandbox/' },
      to: { path: '^src/edits-api/', pathNot: '^src/edits-api/sandbox/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'src-needs-no-dev-dependencies',
      severity: 'error',
      // What the page needs is in its bundle.
      from: { path: '^src/', pathNot: PAGE },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // The TypeScript compiler's own API is not there in version 7.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
    },
  },
};
