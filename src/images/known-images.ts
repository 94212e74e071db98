import { createLookups } from '../auth/lookups.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Events } from '../queue/events.ts';
import type { Images, StoredImage } from './images.ts';
import { blobKey } from './storage/blob-key.ts';

/** A stored image, and the key of its blob. */
export interface KnownImage extends StoredImage {
  readonly key: string;
}

/** The images that were asked for within the last seconds: asking again costs no statement. */
export interface KnownImages {
  /** Null if the image does not exist or is not the viewer's. */
  find(viewer: Pick<Viewer, 'reads'>, id: string): Promise<KnownImage | null>;
  /** For requests with a signed URL. Null if the image does not exist. */
  findOfAnyOwner(id: string): Promise<KnownImage | null>;
  /** Reads the images of an owner again. Call this after a commit that deletes or moves any. */
  forget(ownerId: string): void;
  stop(): void;
}

/** All ids of images have it. */
const ID_LENGTH = 36;

/**
 * An image never changes, but it may be deleted or moved to another owner. The commit that does so
 * notifies all processes. If a notification is lost, the image is known for as many seconds as a
 * credential.
 */
export function createKnownImages(options: {
  images: Pick<Images, 'find' | 'findOfAnyOwner'>;
  events: Pick<Events, 'subscribe'>;
  /** @default that of a credential, 3_000 */
  lifetimeMs?: number;
}): KnownImages {
  const { images, events, lifetimeMs } = options;
  /** By the image, then by the owner whose rows are read, if not everyone's: see `keyOf`. */
  const lookups = createLookups<KnownImage | null>({
    async load(key) {
      const id = key.slice(0, ID_LENGTH);
      const reads = key.slice(ID_LENGTH);
      const image = await (reads === '' ? images.findOfAnyOwner(id) : images.find({ reads }, id));
      if (image !== null) return { ...image, key: blobKey(image) };
      // It may be stored, or become the viewer's, at any time.
      lookups.forget(key);
      return null;
    },
    ...(lifetimeMs !== undefined && { lifetimeMs }),
  });

  function forget(ownerId: string): void {
    lookups.forgetIf((image) => image?.ownerId === ownerId);
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'missed' || event.kind === 'access') lookups.clear();
    else if (event.kind === 'images') forget(event.ownerId);
    else if (event.kind === 'edit' && event.deleted) forget(event.ownerId);
  });

  return {
    find: ({ reads }, id) => lookups.get(keyOf(id, reads ?? '')),
    findOfAnyOwner: (id) => lookups.get(keyOf(id, '')),
    forget,
    stop: unsubscribe,
  };
}

/** An owner's id is never empty. */
const keyOf = (id: string, reads: string) => `${id}${reads}`;
