import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { validate as isUuid } from 'uuid';
import { objectsOf } from '../../database/created-objects.ts';
import type { Database, MigrationConnection } from '../../database/database.ts';
import { readMigrations } from '../../database/migrations.ts';
import { readApplied, UNFINISHED_RESTORE } from '../../database/missing-migrations.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { type Contents, type ImageRef, isMissing, piecesOfFile } from './contents.ts';
import { BackupError } from './manifest.ts';
import {
  beginSnapshot,
  countRows,
  readRows,
  readShapes,
  type TableShape,
  valuesOf,
} from './table-rows.ts';

/** Of running processes, which a restored installation does not have. */
const LEFT_OUT = ['Process'];

/** Prefix of the keys of raw responses in the blob store. */
const ANSWERS = 'answers/';

/**
 * The contents of an installation, in a transaction of `session` that begins here and ends with the
 * session. The removal of blobs must be held back before: see `holdRemoval`.
 * @throws BackupError if the database is not one that this release can read.
 */
export async function openLiveContents(options: {
  database: Database;
  session: MigrationConnection;
  blobs: BlobStore;
  dataDir: string;
}): Promise<Contents> {
  const { database, session, blobs, dataDir } = options;
  const known = await readMigrations();
  const applied = await readApplied(database);
  assertReadable(applied, new Set(known.map(({ name }) => name)));
  await beginSnapshot(session);
  const createdAt = new Date();
  const names = objectsOf(known).tables.filter((name) => !LEFT_OUT.includes(name));
  const shapes = await readShapes(session, names);
  const tables = [];
  for (const shape of shapes) {
    tables.push({ ...shape, rows: await countRows(session, shape.name) });
  }
  const answersDir = join(dataDir, 'answers');
  const keyOf = ({ attemptId }: { attemptId: string }) => ANSWERS + attemptId;

  return {
    createdAt,
    database: database.kind,
    migrations: applied.map(({ name, checksum }) => ({ name, checksum })),
    tables,
    secretKey: await readIfExists(join(dataDir, 'secret.key')),
    rows: (table) => readRows(session, table),
    async *images() {
      const table = shapes.find(({ name }) => name === 'Image');
      if (table === undefined) return;
      for await (const lines of readRows(session, table)) {
        for (const line of lines) yield imageOf(table, line);
      }
    },
    endSnapshot: async () => void (await session.run('COMMIT')),
    image: (image) => blobs.pieces(blobKey(image)),
    ...(blobs.localPath && { imagePath: (image) => blobs.localPath?.(blobKey(image)) ?? '' }),
    async *answers() {
      for (const name of await namesIn(answersDir)) {
        if (isUuid(name)) yield { attemptId: name, place: 'received' };
      }
      for await (const { key } of blobs.list({ after: ANSWERS })) {
        if (!key.startsWith(ANSWERS)) return;
        const attemptId = key.slice(ANSWERS.length);
        if (isUuid(attemptId)) yield { attemptId, place: 'stored' };
      }
    },
    answer: (answer) =>
      answer.place === 'stored'
        ? blobs.pieces(keyOf(answer))
        : piecesOfFile(join(answersDir, answer.attemptId)),
  };
}

/** The image of a row of `Image`. */
export function imageOf(table: TableShape, line: string): ImageRef {
  const { ownerId, sha256, bytes } = valuesOf(table, line, ['ownerId', 'sha256', 'bytes']);
  if (ownerId === null || sha256 === null) throw new BackupError('A row of Image is damaged.');
  return { ownerId, sha256, bytes: Number(bytes) };
}

function assertReadable(
  applied: Awaited<ReturnType<typeof readApplied>>,
  known: ReadonlySet<string>,
): void {
  if (applied.some(({ name }) => name === UNFINISHED_RESTORE)) {
    throw new BackupError(
      'A restore of this database did not finish: run `retouch restore` or `retouch copy` again.',
    );
  }
  if (applied.length === 0)
    throw new BackupError('The database is empty: there is nothing to read.');
  const foreign = applied.find(({ name, finished }) => !finished || !known.has(name));
  if (foreign === undefined) return;
  throw new BackupError(
    `The database has migration ${foreign.name}, which this release does not know: use the release of the service.`,
  );
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

async function readIfExists(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
}
