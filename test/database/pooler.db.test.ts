import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { checkPostgres } from '../../src/database/start/check-postgres.ts';
import { StartError } from '../../src/errors.ts';
import { startTestApp } from '../support/app.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { png } from '../support/test-images.ts';

const canRun = hasDatabase && hasPgBouncer && inject('databaseKind') === 'postgres';

/** Another server connection serves each statement: one that lacks our settings shows soon. */
const EDITS = 12;

describe.runIf(canRun)('through PgBouncer', () => {
  test.each(['session', 'transaction'] as const)(
    'in %s mode edits run and are found, and their times are what they were',
    async (mode) => {
      const beforeMs = Date.now();
      const app = await startTestApp(async ({ DATABASE_URL = '' }) => ({
        DATABASE_URL: await startPgBouncer(DATABASE_URL, mode),
        ...(mode === 'transaction' && { DATABASE_DIRECT_URL: DATABASE_URL }),
      }));
      onTestFinished(app.stop);
      const image = await png();
      const jobs = await Promise.all(
        Array.from({ length: EDITS }, async (_, i) => {
          const input = {
            images: [{ file: null }],
            prompt: `prompt ${i}`,
            metadata: { i: `${i}` },
          };
          const { data } = await app.upload(EDIT, { input }, { 'input.images.0.file': image });
          return data.editImage.editJob;
        }),
      );
      expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 'SUCCEEDED'));
      expect(app.sandbox.stats()).toMatchObject({ requests: EDITS, paid: EDITS });
      const { data, errors } = await app.query(`{
        found: editJobs(search: "prompt 7") { edges { node { id } } }
        labeled: editJobs(filter: { metadata: { i: "3" }, status: [SUCCEEDED] }) {
          edges { node { prompt { text } } }
        }
        all: editJobs(first: 100) {
          totalCount
          edges { node { createdAt startedAt finishedAt attempts { sentAt } } }
        }
      }`);
      expect(errors).toBeUndefined();
      expect(data.found.edges).toEqual([{ node: { id: jobs[7].id } }]);
      expect(data.labeled.edges).toEqual([{ node: { prompt: { text: 'prompt 3' } } }]);
      expect(data.all.totalCount).toBe(EDITS);
      for (const { node } of data.all.edges) {
        const { createdAt, startedAt, finishedAt, attempts } = node;
        const [{ sentAt }] = attempts;
        const written = [createdAt, startedAt, sentAt, finishedAt].map(Date.parse);
        const times = [beforeMs, ...written, Date.now()];
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }
    },
  );

  test('a transaction pooler without DATABASE_DIRECT_URL is refused in one sentence, and so is one as DATABASE_DIRECT_URL', async () => {
    const database = await createTestDatabase();
    onTestFinished(database.drop);
    const pooled = await startPgBouncer(database.env['DATABASE_URL'] ?? '', 'transaction');
    const refusal = async (env: Record<string, string>) => {
      const config = loadConfig(env).database;
      if (config.kind !== 'postgres') throw new Error('no server');
      const error = await checkPostgres(config).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StartError);
      expect(error).toMatchObject({ isTemporary: false });
      return (error as StartError).message;
    };
    expect(await refusal({ DATABASE_URL: pooled })).toMatch(
      /^Retouch cannot start: DATABASE_URL connects .*: set DATABASE_DIRECT_URL [^.]*\.$/,
    );
    expect(await refusal({ DATABASE_URL: pooled, DATABASE_DIRECT_URL: pooled })).toMatch(
      /^Retouch cannot start: DATABASE_DIRECT_URL does not receive [^.]*\.$/,
    );
  });
});
