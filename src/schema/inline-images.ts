import { randomUUID } from 'node:crypto';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { blobKey } from '../images/storage/blob-key.ts';
import type { BlobStore } from '../images/storage/blob-store.ts';

/** Maximum total of image bytes in one result, counting every copy. A single image may be larger. */
export const MAX_INLINE_BYTES = 32 * 1024 * 1024;

interface InlineImage {
  readonly ownerId: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * The images that an operation returns as base64. Their fields resolve to placeholders, so that
 * nothing is read before the whole operation has run and the bytes of all are known.
 */
export interface InlineImages {
  /** The placeholder of an image. */
  add(image: InlineImage): string;
  /**
   * Reads the images that a result contains, each once. If together they exceed MAX_INLINE_BYTES,
   * none is read: all are null, and the result has one error.
   */
  read(result: ExecutionResult): Promise<ReadImages>;
}

/** A result with placeholders, and the base64 text for each placeholder. */
export interface ReadImages {
  readonly result: ExecutionResult;
  readonly base64: ReadonlyMap<string, Buffer>;
}

/** Position of a placeholder in a result. */
interface Slot {
  readonly container: object;
  readonly path: readonly (string | number)[];
  readonly placeholder: string;
  readonly image: InlineImage;
}

/** One for each operation. A subscription uses the same one for all its events in turn. */
export function createInlineImages(blobs: Pick<BlobStore, 'read'>): InlineImages {
  const prefix = `b64Json:${randomUUID()}:`;
  const added = new Map<string, InlineImage>();

  async function readAll(slots: readonly Slot[], base64: Map<string, Buffer>) {
    const errors: GraphQLError[] = [];
    for (const [key, copies] of Map.groupBy(slots, ({ image }) => blobKey(image))) {
      try {
        const text = await readBase64(blobs, key, copies[0]?.image.bytes ?? 0);
        for (const { placeholder } of copies) base64.set(placeholder, text);
      } catch (error) {
        for (const slot of copies) {
          clear(slot);
          errors.push(failed(error, slot.path));
        }
      }
    }
    return errors;
  }

  return {
    add(image) {
      const placeholder = `${prefix}${String(added.size).padStart(6, '0')}`;
      added.set(placeholder, image);
      return placeholder;
    },
    async read(result) {
      const base64 = new Map<string, Buffer>();
      if (added.size === 0) return { result, base64 };
      const slots = [...findSlots(result.data, added, [])];
      added.clear();
      const bytes = slots.reduce((sum, { image }) => sum + image.bytes, 0);
      const isTooMuch = slots.length > 1 && bytes > MAX_INLINE_BYTES;
      if (isTooMuch) for (const slot of slots) clear(slot);
      const errors = isTooMuch ? [tooMuch(slots, bytes)] : await readAll(slots, base64);
      if (errors.length === 0) return { result, base64 };
      return { result: { ...result, errors: [...(result.errors ?? []), ...errors] }, base64 };
    },
  };
}

function* findSlots(
  value: unknown,
  added: ReadonlyMap<string, InlineImage>,
  path: readonly (string | number)[],
): Generator<Slot> {
  if (typeof value !== 'object' || value === null) return;
  const isList = Array.isArray(value);
  for (const [key, part] of Object.entries(value)) {
    const place = [...path, isList ? Number(key) : key];
    const image = typeof part === 'string' ? added.get(part) : undefined;
    if (image !== undefined) yield { container: value, path: place, placeholder: part, image };
    else yield* findSlots(part, added, place);
  }
}

function clear({ container, path }: Slot): void {
  Reflect.set(container, path.at(-1) ?? '', null);
}

/** Needs little more memory than the result: base64 is encoded as the bytes arrive. */
async function readBase64(
  blobs: Pick<BlobStore, 'read'>,
  key: string,
  bytes: number,
): Promise<Buffer> {
  const base64 = Buffer.allocUnsafeSlow(Math.ceil(bytes / 3) * 4);
  let length = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of blobs.read(key)) {
    const whole = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    // Three bytes become four characters; remaining bytes wait for the next chunk.
    const end = whole.length - (whole.length % 3);
    length += base64.write(whole.toString('base64', 0, end), length, 'latin1');
    rest = whole.subarray(end);
  }
  length += base64.write(rest.toString('base64'), length, 'latin1');
  return base64.subarray(0, length);
}

function tooMuch(slots: readonly Slot[], bytes: number): GraphQLError {
  const [limit, found] = [MAX_INLINE_BYTES, bytes].map((count) => count.toLocaleString('en-US'));
  return new GraphQLError(
    `b64Json may return at most ${limit} bytes of images in one operation, or one image of any size; this operation asks for ${slots.length} images of ${found} bytes together. Ask for fewer images at once, or download them from url.`,
    {
      path: slots[0]?.path,
      extensions: { code: 'QUERY_TOO_LARGE', limit: 'inlineImageBytes', most: MAX_INLINE_BYTES },
    },
  );
}

function failed(error: unknown, path: Slot['path']): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { path, originalError });
}
