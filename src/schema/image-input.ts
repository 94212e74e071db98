import type { InputImage } from '../edits/submit/edits.ts';
import { checkEach, InvalidInputError, NotFoundError } from '../errors.ts';
import type { FieldUpload } from '../images/receive/uploads.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

export const ImageInput = builder.inputType('ImageInput', {
  description: 'An image: either a file uploaded with this request or a stored image.',
  isOneOf: true,
  fields: (t) => ({
    file: t.field({ type: 'Upload', description: 'PNG, JPEG or WebP file.' }),
    id: t.id({ description: 'Global id of a stored Image: an earlier upload, input or output.' }),
  }),
});

type ImageInputShape = typeof ImageInput.$inferInput;

/** @throws InvalidInputError for every image that is not exactly one of a file and an id. */
export function checkImageInputs(
  inputs: readonly ImageInputShape[],
  mask: ImageInputShape | null,
): void {
  checkEach(named(inputs, mask), ({ field, input }) => checkOneOf(field, input));
}

function named(inputs: readonly ImageInputShape[], mask: ImageInputShape | null) {
  const all = inputs.map((input, index) => ({ input, field: `images[${index}]` }));
  return mask === null ? all : [...all, { input: mask, field: 'mask' }];
}

/**
 * Gets checked images. Looks up stored images first, so that an unknown id fails before any file is
 * received.
 */
export async function getImages(
  inputs: readonly ImageInputShape[],
  mask: ImageInputShape | null,
  { images, uploads, viewer, signal }: Context,
): Promise<{ images: readonly InputImage[]; mask: InputImage | null }> {
  const stored = await Promise.all(
    named(inputs, mask).map(async ({ input, field }): Promise<InputImage | FieldUpload> => {
      if (input.file) return { field, upload: input.file };
      const id = idOf('Image', input.id ?? '');
      const image = id === null ? null : await images.find(viewer, id);
      if (image === null) throw new NotFoundError('Image', input.id ?? '');
      return { kind: 'stored', image };
    }),
  );
  // A file that is used twice is received once.
  const files = new Map<unknown, FieldUpload>();
  for (const source of stored) {
    if ('upload' in source && !files.has(source.upload)) files.set(source.upload, source);
  }
  const received = await uploads.receive([...files.values()], signal);
  const imageOf = new Map([...files.keys()].map((upload, index) => [upload, received[index]]));
  const sources = stored.map((source): InputImage => {
    if (!('upload' in source)) return source;
    const image = imageOf.get(source.upload);
    if (image === undefined) throw new Error(`${source.field} was not received`);
    return { kind: 'received', image };
  });
  return mask === null
    ? { images: sources, mask: null }
    : { images: sources.slice(0, -1), mask: sources.at(-1) ?? null };
}

/** `@oneOf` checks this in the standalone schema only. @throws InvalidInputError naming the field. */
function checkOneOf(field: string, { file, id }: ImageInputShape): void {
  const [hasFile, hasId] = [file, id].map((given) => given !== null && given !== undefined);
  if (hasFile && hasId) {
    throw new InvalidInputError(field, 'INVALID_VALUE', `${field} is a file or an id, not both.`);
  }
  if (!hasFile && !hasId) {
    throw new InvalidInputError(field, 'REQUIRED', `${field} needs a file or an id.`);
  }
}
