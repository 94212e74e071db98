import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RetouchError } from '../../errors.ts';

/** Written last: a directory without it is not a complete backup. */
export const MANIFEST = 'manifest.json';

/** Names in a backup. */
export const TABLES_DIR = 'tables';
export const BLOBS_DIR = 'blobs';
export const ANSWERS_DIR = 'answers';
export const SECRET_KEY_FILE = 'secret.key';

const FORMAT = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

/** A file that is not an image: images are named by their hash. */
const file = z.object({
  /** Relative to the backup. */
  path: z.string().regex(/^(secret\.key|(answers|blobs\/answers)\/[\w-]+)$/),
  bytes: count,
  sha256,
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  /** Of the release that wrote it. */
  version: z.string(),
  /** When its snapshot of the database was made. */
  createdAt: z.iso.datetime(),
  database: z.enum(['pglite', 'postgres']),
  /** Those of the database, in their order. */
  migrations: z.array(z.object({ name: z.string().regex(/^\w+$/), checksum: sha256 })).min(1),
  tables: z.array(
    z.object({
      name: z.string().regex(/^\w+$/),
      columns: z.array(z.object({ name: z.string(), type: z.string() })).min(1),
      rows: count,
      sha256,
    }),
  ),
  images: z.object({ count, bytes: count }),
  files: z.array(file),
});

export type Manifest = z.output<typeof manifestSchema>;
export type BackupFile = Manifest['files'][number];

/** A backup cannot be made, read or restored. The message says what to do. */
export class BackupError extends RetouchError {
  readonly code = 'BACKUP_FAILED';
}

/** @throws BackupError if the directory is not a backup that this release can read. */
export async function readManifest(dir: string): Promise<Manifest> {
  const text = await readFile(join(dir, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    throw new BackupError(
      `${dir} is not a complete backup (${MANIFEST} is missing): name the directory that \`retouch backup\` wrote.`,
    );
  });
  const json = parse(text);
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { format } = z.object({ format: z.number() }).catch({ format: FORMAT }).parse(json);
  throw new BackupError(
    format > FORMAT
      ? `The backup ${dir} was written by a newer release: restore it with that release.`
      : `${join(dir, MANIFEST)} is damaged: use another backup.`,
  );
}

export function writeManifest(manifest: Omit<Manifest, 'format'>): string {
  return `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
