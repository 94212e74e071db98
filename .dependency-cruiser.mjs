import swcVisitor from '@swc/core/Visitor.js';
import { MODULES, PAGE as PAGE_MODULE } from './scripts/modules.ts';

// The visitor that dependency-cruiser extends throws on `using` and `await using`.
const { Visitor } = swcVisitor;
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

const LAYERS = MODULES.map((module) => [
  module,
  module.endsWith('.ts') ? `^src/${module.replace('.', '\\.')}$` : `^src/${module}/`,
]);

const down = LAYERS.slice(0, -1).map(([name, path], level) => ({
  name: `only-down-from-${name}`,
  severity: 'error',
  from: { path },
  to: {
    path: LAYERS.slice(level + 1).map(([, above]) => above),
  },
}));

const PAGE = `^src/${PAGE_MODULE}/`;

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
      name: 'every-module-has-a-place',
      comment: 'Give a new module its place in MODULES.',
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
      from: { pathNot: '^src/database/generated/' },
      to: { circular: true },
    },
    only(
      'graphql-only-in-schema-and-http',
      ['^src/(schema|http)/', '^src/database/generated/pothos\\.ts$'],
      ['graphql', 'graphql-[^/]+', '@graphql-yoga', '@pothos'],
    ),
    only(
      'database-packages-only-in-database',
      ['^src/database/', '^src/schema/builder\\.ts$'],
      ['@prisma', 'pg', '@electric-sql', 'pglite-prisma-adapter'],
    ),
    {
      name: 'generated-client-only-in-database',
      comment: 'Others take the client from src/database/database.ts. Enums hold no client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/database/', '^src/schema/builder\\.ts$'] },
      to: {
        path: '^src/database/generated/',
        pathNot: '^src/database/generated/prisma/enums\\.ts$',
      },
    },
    only('pg-boss-only-in-queue', ['^src/queue/', '^src/database/'], ['pg-boss']),
    only('undici-only-towards-the-edits-api', ['^src/(edits-api|net)/'], ['undici']),
    only('aws-sdk-only-in-the-s3-blob-store', ['^src/images/storage/s3-'], ['@aws-sdk', '@smithy']),
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
    only('prom-client-only-in-telemetry', ['^src/telemetry/'], ['prom-client']),
    {
      name: 'prom-client-only-when-needed',
      comment: 'It takes memory that a service without METRICS_PORT has no use for: import() it.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^(node_modules/)?prom-client/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    only('sharp-only-for-images', ['^src/images/', '^src/sandbox/'], ['sharp']),
    {
      name: 'sandbox-only-by-its-wire-format',
      comment:
        'One client serves both, so only the composition root knows which edits API is called.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/app/(upstreams|doctor/host-checks)\\.ts$', '^src/sandbox/'],
      },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'sandbox-reads-the-wire-by-itself',
      comment:
        'It is a second reading of the format: sharing code with the client would hide errors.',
      severity: 'error',
      from: { path: '^src/sandbox/' },
      to: { path: '^src/edits-api/' },
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
    {
      name: 'database-suites-have-one-suffix',
      comment:
        'A suite that opens a database is a *.db.test.ts file, which runs on both databases.',
      severity: 'error',
      from: {
        path: '^test/.*\\.test\\.ts$',
        pathNot: ['\\.db\\.test\\.ts$', '^test/(browser|examples|gateways|reliability)/'],
      },
      to: {
        path: [
          '^src/database/(pglite|postgres)\\.ts$',
          '^test/support/(app|database|open-database|service-processes)\\.ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // The TypeScript compiler's own API is not there in version 7.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    // Run with packages that only `npm run bench:peers` installs.
    exclude: { path: '^bench/peers/servers/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
    },
  },
};
