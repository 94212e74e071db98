import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobKey } from '../../images/storage/blob-key.ts';
import { splitLines } from '../lines.ts';
import {
  type AnswerRef,
  type Contents,
  type ImageRef,
  isMissing,
  piecesOfFile,
} from './contents.ts';
import { imageOf } from './live-contents.ts';
import { ANSWERS_DIR, BLOBS_DIR, type Manifest, SECRET_KEY_FILE, TABLES_DIR } from './manifest.ts';
import type { TableShape } from './table-rows.ts';

/** Rows that are read at once, and about how many characters. */
const BATCH_ROWS = 500;
const BATCH_CHARACTERS = 512 * 1024;

/** The contents of a backup. Checks no hashes: see `findFileFaults`. */
export async function openStoredContents(dir: string, manifest: Manifest): Promise<Contents> {
  const has = (path: string) => manifest.files.some((file) => file.path === path);
  const imagePath = (image: Parameters<Contents['image']>[0]) =>
    join(dir, BLOBS_DIR, blobKey(image));
  const table = manifest.tables.find(({ name }) => name === 'Image');

  return {
    createdAt: new Date(manifest.createdAt),
    database: manifest.database,
    migrations: manifest.migrations,
    tables: manifest.tables,
    secretKey: has(SECRET_KEY_FILE) ? await readFile(join(dir, SECRET_KEY_FILE), 'utf8') : null,
    rows: ({ name }) => linesOf(tablePath(dir, name)),
    async *images() {
      if (table !== undefined) yield* storedImages(dir, table);
    },
    image: (image) => piecesOfFile(imagePath(image)),
    imagePath,
    async *answers() {
      for (const { path } of manifest.files) {
        const [attemptId = ''] = path.split('/').slice(-1);
        if (path.startsWith(`${ANSWERS_DIR}/`)) yield { attemptId, place: 'received' };
        if (path.startsWith(`${BLOBS_DIR}/`)) yield { attemptId, place: 'stored' };
      }
    },
    answer: ({ attemptId, place }: AnswerRef) =>
      piecesOfFile(
        join(dir, place === 'received' ? ANSWERS_DIR : `${BLOBS_DIR}/answers`, attemptId),
      ),
  };
}

/** The images of the table `Image` of a backup. */
export async function* storedImages(
  dir: string,
  table: TableShape,
): AsyncGenerator<ImageRef, void> {
  for await (const lines of linesOf(tablePath(dir, table.name))) {
    for (const line of lines) yield imageOf(table, line);
  }
}

/** One sentence for each table and each file that differs from the manifest. */
export async function findFileFaults(
  dir: string,
  { tables, files }: Manifest,
): Promise<readonly string[]> {
  const expected = [
    ...tables.map(({ name, sha256 }) => ({ path: `${TABLES_DIR}/${name}.ndjson`, sha256 })),
    ...files,
  ];
  const faults: string[] = [];
  for (const { path, sha256 } of expected) {
    const found = await hashOf(join(dir, path));
    if (found === null) faults.push(`The file ${path} is missing.`);
    else if (found !== sha256) faults.push(`The file ${path} is damaged.`);
  }
  return faults;
}

/** SHA-256 of a file; null if it does not exist. */
async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const piece of piecesOfFile(path)) hash.update(piece);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return hash.digest('hex');
}

const tablePath = (dir: string, name: string) => join(dir, TABLES_DIR, `${name}.ndjson`);

/** The lines of a file, some at a time. */
async function* linesOf(path: string): AsyncGenerator<readonly string[], void> {
  let lines: string[] = [];
  let characters = 0;
  for await (const line of splitLines(piecesOfFile(path))) {
    lines.push(line);
    characters += line.length;
    if (lines.length < BATCH_ROWS && characters < BATCH_CHARACTERS) continue;
    yield lines;
    lines = [];
    characters = 0;
  }
  if (lines.length > 0) yield lines;
}
