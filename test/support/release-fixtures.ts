import { createHash } from 'node:crypto';
import { cpSync, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../src/database/database.ts';
import { markOnDisk } from '../../src/database/synced-mark.ts';

export const RELEASES_DIR = join(import.meta.dirname, '../fixtures/releases');

/** The schema that a fixture was made in, with `_queue` that of its queue. Nothing else has the name. */
export const FIXTURE_SCHEMA = 'fixture_schema';

/** Of the process that made the fixtures: their webhooks are not sent under another. */
export const FIXTURE_SECRET_KEY = createHash('sha256').update('releases').digest('base64');

/** What a fixture has of its edits. */
export const FIXTURE_EDITS = `{ editJobs(first: 100, orderBy: { field: CREATED_AT, direction: ASC }) { edges { node {
  id status model size resolvedSize n metadata createdAt prompt { id text }
  inputImages { id sha256 } mask { id } outputImages { id sha256 width height }
  usage { totalTokens inputTokens outputTokens } cost { amount } error { code }
  attempts { number state httpStatus }
} } } }`;

/** What a release left behind: `database.sql`, `files/` of its DATA_DIR, and what it showed. */
export interface ReleaseFixture {
  readonly version: string;
  readonly dir: string;
  /** The release's newest migration. */
  readonly newestMigration: string;
  /** The edits as its API showed them, oldest first. */
  readonly edits: readonly FixtureEdit[];
}

export interface FixtureEdit {
  readonly id: string;
  readonly status: string;
  readonly inputImages: readonly FixtureImage[];
  readonly outputImages: readonly FixtureImage[];
  readonly [field: string]: unknown;
}

interface FixtureImage {
  readonly id: string;
  readonly sha256: string;
}

/** Oldest first. */
export async function readReleaseFixtures(): Promise<readonly ReleaseFixture[]> {
  const versions = await readdir(RELEASES_DIR);
  return Promise.all(
    versions.sort().map(async (version) => {
      const dir = join(RELEASES_DIR, version);
      return { dir, ...JSON.parse(await readFile(join(dir, 'release.json'), 'utf8')) };
    }),
  );
}

/**
 * Makes an empty database and its data directory those of the fixture, as if its process had just
 * been killed.
 */
export async function restoreRelease(
  { dir }: ReleaseFixture,
  { database, dataDir }: { database: Database; dataDir: string },
): Promise<void> {
  const { schema, queueSchema } = database.names;
  const sql = (await readFile(join(dir, 'database.sql'), 'utf8'))
    .replaceAll(`${FIXTURE_SCHEMA}_queue`, queueSchema)
    .replaceAll(FIXTURE_SCHEMA, schema);
  {
    await using connection = await database.openForMigration();
    await connection.run(sql);
    // pg-boss deletes what waits for longer than two weeks.
    await connection.run(`UPDATE "${queueSchema}".job SET keep_until = now() + interval '1 day'`);
    await connection.run(`SET search_path TO "${schema}"`);
  }
  const files = join(dir, 'files');
  if (existsSync(files)) cpSync(files, dataDir, { recursive: true });
  if (database.kind === 'pglite') markOnDisk(dataDir);
}
