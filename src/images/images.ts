import { v7 as uuid } from 'uuid';
import type { Viewer } from '../auth/viewer.ts';
import { ofAllOwners, ownedRows, visibleTo } from '../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../database/database.ts';
import { NotFoundError, StorageError } from '../errors.ts';
import { IMAGE_FORMATS } from './inspect/image-format.ts';
import type { InspectedImage } from './inspect/inspect-image.ts';
import { blobKey } from './storage/blob-key.ts';
import type { BlobStore } from './storage/blob-store.ts';
import { lockContents } from './storage/content-locks.ts';
import type { StagedFile } from './storage/staging.ts';

/** An image that was received and checked but not yet stored. */
export interface ReceivedImage {
  readonly staged: StagedFile;
  readonly facts: InspectedImage;
}

/** The facts about an image that its row stores. */
export interface ImageFacts {
  readonly format: 'PNG' | 'JPEG' | 'WEBP';
  /** In pixels, as browsers show the image; see `InspectedImage`. */
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

/** Name, content type and file extension of a format. */
export function mediaOf(format: ImageFacts['format']) {
  return BY_ROW[format];
}

/** A stored image, as the rest of the service uses it. */
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

/** The images of all owners: rows in the database, blobs in the blob store. */
export interface Images {
  /** Null if the image does not exist or is not the viewer's. */
  find(viewer: Pick<Viewer, 'reads'>, id: string): Promise<StoredImage | null>;
  /** For requests with a signed URL. Null if the image does not exist. */
  findOfAnyOwner(id: string): Promise<StoredImage | null>;
  /**
   * Moves the files into the blob store. They survive a power cut there, and remain even if no row
   * is inserted. Await this before the transaction that inserts the rows.
   */
  keep(ownerId: string, images: readonly ReceivedImage[]): Promise<void>;
  /**
   * Inserts the rows of received images, once per owner and content, and returns the ids of all
   * images in the given order. No image can be deleted until `tx` ends, so links to them must be
   * written in it. Call this once in a transaction, after its locks on prompts and jobs (see
   * `lockContents`).
   * @throws StorageError if a blob was removed since it was stored, NotFoundError if a stored image
   *   was deleted since it was looked up. Roll back in both cases.
   */
  save(
    tx: Pick<Transaction, '$queryRaw' | '$executeRaw'>,
    ownerId: string,
    images: readonly (ReceivedImage | StoredContent)[],
  ): Promise<string[]>;
}

/** An image that already has a row. */
export type StoredContent = Pick<StoredImage, 'id' | 'sha256'>;

export function createImages(options: { prisma: PrismaClient; blobs: BlobStore }): Images {
  const { prisma, blobs } = options;
  return {
    find: (viewer, id) =>
      prisma.image.findFirst({ where: { id, ...visibleTo(viewer) }, select: FIELDS }),
    findOfAnyOwner: (id) => ofAllOwners(prisma).image.findUnique({ where: { id }, select: FIELDS }),
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
      // Check under the lock: from here on, nobody can remove the blobs.
      await Promise.all(received.map(({ staged }) => mustBeKept(keyOf(staged.sha256))));
      return images.map((image) => {
        const id = ids.get(contentOf(image));
        if (id === undefined) throw new Error(`image ${contentOf(image)} was not stored`);
        return id;
      });
    },
  };

  async function mustBeKept(key: string): Promise<void> {
    if ((await blobs.size(key)) !== null) return;
    throw new StorageError('An image was removed while it was being stored. Send it again.');
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
  // The update changes nothing, but makes RETURNING include rows that already exist.
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
 * Each content once, because a statement may update a row only once; sorted, so that two
 * transactions with the same images cannot deadlock.
 */
function distinct(images: readonly ReceivedImage[]): ReceivedImage[] {
  const byContent = new Map(images.map((image) => [image.staged.sha256, image]));
  return [...byContent.values()].sort((a, b) => (a.staged.sha256 < b.staged.sha256 ? -1 : 1));
}
