import { defineConfig } from 'vitest/config';
import { WEBASSEMBLY_FLAGS } from './src/app/node-options.ts';

/**
 * `npm run test:soak`: what holds under load, with processes of their own. One file after the other,
 * as each measures memory and time; they are no part of `npm test`.
 */
const common = {
  include: ['test/soak/**/*.soak.ts'],
  testTimeout: 15 * 60_000,
  hookTimeout: 60_000,
  globalSetup: ['test/support/global-setup.ts'],
};

export default defineConfig({
  test: {
    maxWorkers: 1,
    execArgv: [...WEBASSEMBLY_FLAGS],
    projects: [
      {
        extends: true,
        test: { ...common, name: 'soak-postgres', provide: { databaseKind: 'postgres' } },
      },
      {
        extends: true,
        test: { ...common, name: 'soak-pglite', provide: { databaseKind: 'pglite' } },
      },
    ],
  },
});
