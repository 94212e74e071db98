import { randomUUID } from 'node:crypto';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { blobKey } from '../images/blob-key.ts';
import type { BlobStore } from '../images/blob-store.ts';

/** Image bytes in one result, all copies together. A single image may be larger. */
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
   * Puts base64 in the place of each placeholder; each image is read once. Where the images exceed
   * MAX_INLINE_BYTES together none is read: all are null, and one error says so.
   */
  fill(result: ExecutionResult): Promise<ExecutionResult>;
}

/** Where a placeholder is in a result. */
interface Slot {
  readonly container: object;
  readonly path: readonly (string | number)[];
  readonly image: InlineImage;
}

/** One for each operation; of a subscription, for all its events, one after the other. */
export function createInlineImages(blobs: Pick<BlobStore, 'read'>): InlineImages {
  const prefix = `b64Json:${randomUUID()}:`;
  const added = new Map<string, InlineImage>();

  async function read(slots: readonly Slot[]): Promise<GraphQLError[]> {
    const errors: GraphQLError[] = [];
    for (const [key, copies] of Map.groupBy(slots, ({ image }) => blobKey(image))) {
      let base64: string | null = null;
      try {
        base64 = await readBase64(blobs, key, copies[0]?.image.bytes ?? 0);
      } catch (error) {
        for (const { path } of copies) errors.push(failed(error, path));
      }
      for (const slot of copies) put(slot, base64);
    }
    return errors;
  }

  return {
    add(image) {
      const placeholder = `${prefix}${added.size}`;
      added.set(placeholder, image);
      return placeholder;
    },
    async fill(result) {
      if (added.size === 0) return result;
      const slots = [...findSlots(result.data, added, [])];
      added.clear();
      const bytes = slots.reduce((sum, { image }) => sum + image.bytes, 0);
      const isTooMuch = slots.length > 1 && bytes > MAX_INLINE_BYTES;
      if (isTooMuch) for (const slot of slots) put(slot, null);
      const errors = isTooMuch ? [tooMuch(slots, bytes)] : await read(slots);
      if (errors.length === 0) return result;
      return { ...result, errors: [...(result.errors ?? []), ...errors] };
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
    if (image !== undefined) yield { container: value, path: place, image };
    else yield* findSlots(part, added, place);
  }
}

function put({ container, path }: Slot, base64: string | null): void {
  Reflect.set(container, path.at(-1) ?? '', base64);
}

/** Takes little more memory than the result: base64 is written as the bytes arrive. */
async function readBase64(
  blobs: Pick<BlobStore, 'read'>,
  key: string,
  bytes: number,
): Promise<string> {
  const base64 = Buffer.allocUnsafe(Math.ceil(bytes / 3) * 4);
  let length = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of blobs.read(key)) {
    const whole = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    // Three bytes are four characters: the others wait for the next chunk.
    const end = whole.length - (whole.length % 3);
    length += base64.write(whole.toString('base64', 0, end), length, 'latin1');
    rest = whole.subarray(end);
  }
  length += base64.write(rest.toString('base64'), length, 'latin1');
  return base64.toString('latin1', 0, length);
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
