import { v7 as uuid } from 'uuid';
import type { Viewer } from '../auth/viewer.ts';
import { ownedRows, visibleTo } from '../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../database/database.ts';
import { NotFoundError, StorageError } from '../errors.ts';
import { IMAGE_FORMATS } from './inspect/image-format.ts';
import type { InspectedImage } from './inspect/inspect-image.ts';
import { blobKey } from './storage/blob-key.ts';
import type { BlobStore } from './storage/blob-store.ts';
import { lockContents } from './storage/content-locks.ts';
import type { StagedFile } from './storage/staging.ts';

/** A picture that was received and checked, but belongs to nobody yet. */
export interface ReceivedImage {
  readonly staged: StagedFile;
  readonly facts: InspectedImage;
}

/** What the row of a picture says of it. */
export interface ImageFacts {
  readonly format: 'PNG' | 'JPEG' | 'WEBP';
  /** Pixels, as browsers show them: see `InspectedImage`. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly hasAlpha: boolean;
}

export function rowFacts({ staged, facts }: ReceivedImage): ImageFacts {
  return {
    format: FORMAT[facts.format],
    width: facts.displayWidth,
    height: facts.displayHeight,
    bytes: staged.bytes,
    hasAlpha: facts.hasAlpha,
  };
}

const FORMAT = { png: 'PNG', jpeg: 'JPEG', webp: 'WEBP' } as const;

const BY_ROW = {
  PNG: { name: 'png', ...IMAGE_FORMATS.png },
  JPEG: { name: 'jpeg', ...IMAGE_FORMATS.jpeg },
  WEBP: { name: 'webp', ...IMAGE_FORMATS.webp },
} as const;

/** A stored picture's format by its name outside the database, with content type and extension. */
export function mediaOf(format: ImageFacts['format']) {
  return BY_ROW[format];
}

/** What the rest of the service needs to know of a stored picture. */
export interface StoredImage extends ImageFacts {
  readonly id: string;
  readonly ownerId: string;
  readonly sha256: string;
}

const FIELDS = {
  id: true,
  ownerId: true,
  sha256: true,
  format: true,
  width: true,
  height: true,
  bytes: true,
  hasAlpha: true,
} as const;

/** The pictures of all owners: rows in the database, bytes in the blob store. */
export interface Images {
  /** Null when it is not there, or not the viewer's. */
  find(viewer: Viewer, id: string): Promise<StoredImage | null>;
  /**
   * Moves the bytes into the blob store, where they outlast a power cut, and stay even if the row is
   * never written.
   * Must be awaited before the transaction that saves the rows.
   */
  keep(ownerId: string, images: readonly ReceivedImage[]): Promise<void>;
  /**
   * Writes the rows of received pictures, once per owner and content; answers the ids of all in the
   * order given. Until `tx` ends nobody can delete any of them: links to them must be written in it.
   * Called once in a transaction, after its locks on prompts and jobs (see `lockContents`).
   * @throws StorageError when the bytes were removed since they were kept, NotFoundError when a stored
   * picture was deleted since it was looked up: the transaction must be rolled back.
   */
  save(
    tx: Pick<Transaction, '$queryRaw' | '$executeRaw'>,
    ownerId: string,
    images: readonly (ReceivedImage | StoredContent)[],
  ): Promise<string[]>;
}

/** A picture that has its row already. */
export type StoredContent = Pick<StoredImage, 'id' | 'sha256'>;

export function createImages(options: { prisma: PrismaClient; blobs: BlobStore }): Images {
  const { prisma, blobs } = options;
  return {
    find: (viewer, id) =>
      prisma.image.findFirst({ where: { id, ...visibleTo(viewer) }, select: FIELDS }),
    async keep(ownerId, images) {
      await Promise.all(
        images.map(({ staged }) =>
          blobs.put(blobKey({ ownerId, sha256: staged.sha256 }), staged.path),
        ),
      );
    },
    async save(tx, ownerId, images) {
      const keyOf = (sha256: string) => blobKey({ ownerId, sha256 });
      await lockContents(tx, images.map(contentOf).map(keyOf), 'shared');
      const received = distinct(images.filter(isReceived));
      const stored = images.flatMap((image) => (isReceived(image) ? [] : [image]));
      const ids = new Map([
        ...(await insert(tx, ownerId, received)),
        ...(await findAll(tx, ownerId, stored)),
      ]);
      // Only now, under the lock: what is there stays there.
      await Promise.all(received.map(({ staged }) => mustBeKept(keyOf(staged.sha256))));
      return images.map((image) => {
        const id = ids.get(contentOf(image));
        if (id === undefined) throw new Error(`image ${contentOf(image)} was not saved`);
        return id;
      });
    },
  };

  async function mustBeKept(key: string): Promise<void> {
    if ((await blobs.size(key)) !== null) return;
    throw new StorageError('A picture was removed while it was being stored: send it again.');
  }
}

type IdsByContent = [sha256: string, id: string][];

async function insert(
  tx: Pick<Transaction, '$queryRaw'>,
  ownerId: string,
  images: readonly ReceivedImage[],
): Promise<IdsByContent> {
  if (images.length === 0) return [];
  const values = images.map((image) => {
    const { format, width, height, bytes, hasAlpha } = rowFacts(image);
    return Prisma.sql`(${uuid()}::uuid, ${ownerId}, ${image.staged.sha256},
      ${format}::"ImageFormat", ${width}::int, ${height}::int, ${bytes}::int, ${hasAlpha}::boolean)`;
  });
  // The update changes nothing: without it a row that is there already would not be returned.
  const rows = await tx.$queryRaw<{ id: string; sha256: string }[]>`
    INSERT INTO "Image" (id, "ownerId", sha256, format, width, height, bytes, "hasAlpha")
    VALUES ${Prisma.join(values)}
    ON CONFLICT ("ownerId", sha256) DO UPDATE SET sha256 = excluded.sha256
    RETURNING id, sha256`;
  return rows.map(({ id, sha256 }) => [sha256, id]);
}

async function findAll(
  tx: Pick<Transaction, '$queryRaw'>,
  ownerId: string,
  images: readonly StoredContent[],
): Promise<IdsByContent> {
  if (images.length === 0) return [];
  const found = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM "Image"
    WHERE ${ownedRows(ownerId, 'Image')} AND id = ANY (${images.map(({ id }) => id)}::text[]::uuid[])`;
  const ids = new Set(found.map(({ id }) => id));
  return images.map(({ id, sha256 }) => {
    if (!ids.has(id)) throw new NotFoundError('Image', id);
    return [sha256, id];
  });
}

function isReceived(image: ReceivedImage | StoredContent): image is ReceivedImage {
  return 'staged' in image;
}

function contentOf(image: ReceivedImage | StoredContent): string {
  return isReceived(image) ? image.staged.sha256 : image.sha256;
}

/**
 * Each content once, as one statement can meet a row only once; and in one order everywhere, so that
 * two transactions with the same pictures cannot deadlock.
 */
function distinct(images: readonly ReceivedImage[]): ReceivedImage[] {
  const byContent = new Map(images.map((image) => [image.staged.sha256, image]));
  return [...byContent.values()].sort((a, b) => (a.staged.sha256 < b.staged.sha256 ? -1 : 1));
}
