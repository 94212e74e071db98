import { statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { WEBASSEMBLY_FLAGS } from './src/app/node-options.ts';

/** Suites that kill, stop and starve whole processes: they run on both databases, and take longer. */
const RELIABILITY_SUITES = ['test/reliability/**/*.test.ts'];

/** Suites that run examples/, whose packages are installed when they run: see CONTRIBUTING.md. */
const EXAMPLE_SUITES = ['test/examples/**/*.test.ts'];
/** Suites that look at GraphiQL's page in Chromium. */
const BROWSER_SUITES = ['test/browser/**/*.test.ts'];

/** Suites that touch the database: they run on both of them. */
const DATABASE_SUITES = ['test/**/*.db.test.ts'];

/** Suites that need packages of their own, which are installed when they run: see CONTRIBUTING.md. */
const GATEWAY_SUITES = ['test/gateways/**/*.test.ts'];

/** In milliseconds: what hangs is ended, what is slow is not. */
const LIMIT_MS = 900_000;
const SETUP = 'test/support/global-setup.ts';
const common = { testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS, globalSetup: [SETUP] };

/** Memory in place of a disk, where there is plenty: the embedded database syncs each commit. */
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
  // As Node resolves it for the packages beside us: a second copy of `graphql` is another realm.
  resolve: {
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  test: {
    // More than there are cores: many suites wait for processes that they have started.
    maxWorkers: 3,
    execArgv: [...WEBASSEMBLY_FLAGS],
    // A test asserts what it waits for, not how long that takes: see test/support/eventually.ts.
    expect: { poll: { timeout: 120_000 } },
    // CI counts the tests from the file: see .ci/run.
    reporters: ['default', ['json', { outputFile: 'build/tests.json' }]],
    projects: [
      {
        extends: true,
        test: {
          ...common,
          ...onMemory,
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
