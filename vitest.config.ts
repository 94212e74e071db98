import { statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { WEBASSEMBLY_FLAGS } from './src/app/node-options.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

/** Suites that use a database, each of which runs on both. */
const DATABASE_SUITES = ['test/**/*.db.test.ts'];
/** Suites that kill, stop and starve processes of the service. They take minutes. */
const RELIABILITY_SUITES = ['test/reliability/**/*.test.ts'];
/** Suites that test GraphiQL's page in Chromium. */
const BROWSER_SUITES = ['test/browser/**/*.test.ts'];
/** Suites that run examples/. They install the packages of the examples: see CONTRIBUTING.md. */
const EXAMPLE_SUITES = ['test/examples/**/*.test.ts'];
/** Suites that install and run federation gateways: see CONTRIBUTING.md. */
const GATEWAY_SUITES = ['test/gateways/**/*.test.ts'];

/** A limit that only ends a test that hangs, in milliseconds. */
const LIMIT_MS = 900_000;
const SETUP = 'test/support/global-setup.ts';
/**
 * A worker runs one file after the other without starting anew: the imports and the WebAssembly of
 * the embedded database are most of what a file costs. So a test must undo what it changes globally.
 */
const shared = { isolate: false };
const common = { testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS, globalSetup: [SETUP] };

/** Temporary files in memory where there is enough: the embedded database syncs each commit. */
const onMemory = { env: freeBytes('/dev/shm') > 4 * 1024 ** 3 ? { TMPDIR: '/dev/shm' } : {} };

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

export default defineConfig({
  // The copy that Node resolves for other packages: a second copy of `graphql` is another realm.
  resolve: {
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  test: {
    // More than two cores have use for: many suites wait for processes that they started.
    maxWorkers: 3,
    execArgv: [...WEBASSEMBLY_FLAGS],
    // A test asserts what it waits for, not how long it waits: see test/support/eventually.ts.
    expect: { poll: { timeout: 120_000 } },
    // Each lane of package.json names its own report, and scripts/count-tests.ts adds them up.
    reporters: ['default', 'json'],
    outputFile: { json: 'build/tests/other.json' },
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...DATABASE_SUITES,
            ...RELIABILITY_SUITES,
            ...GATEWAY_SUITES,
            ...EXAMPLE_SUITES,
            ...BROWSER_SUITES,
          ],
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'examples',
          include: EXAMPLE_SUITES,
          globalSetup: [SETUP, 'test/support/install-examples.ts'],
          provide: { databaseKind: 'pglite' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
          ...shared,
          name: 'pglite',
          include: DATABASE_SUITES,
          provide: { databaseKind: 'pglite' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
          name: 'gateways',
          include: GATEWAY_SUITES,
          globalSetup: [SETUP, 'test/support/install-gateways.ts'],
          provide: { databaseKind: 'pglite' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
          name: 'browser',
          include: BROWSER_SUITES,
          provide: { databaseKind: 'pglite' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'reliability-pglite',
          include: RELIABILITY_SUITES,
          provide: { databaseKind: 'pglite' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
          ...shared,
          name: 'postgres',
          include: DATABASE_SUITES,
          provide: { databaseKind: 'postgres' },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'reliability-postgres',
          include: RELIABILITY_SUITES,
          provide: { databaseKind: 'postgres' },
        },
      },
    ],
  },
});
