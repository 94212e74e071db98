import type { Picture } from '../edits/edits.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import type { FieldUpload } from '../images/uploads.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { idOf } from './global-id.ts';

export const ImageInput = builder.inputType('ImageInput', {
  description: 'A picture: either a file of this request, or one that is stored already.',
  isOneOf: true,
  fields: (t) => ({
    file: t.field({ type: 'Upload', description: 'PNG, JPEG or WebP.' }),
    id: t.id({ description: 'Global id of an Image: an earlier upload, input or output.' }),
  }),
});

type ImageInputShape = typeof ImageInput.$inferInput;

/** Looks the stored ones up first: a wrong id then costs no upload. */
export async function getPictures(
  inputs: readonly ImageInputShape[],
  mask: ImageInputShape | null,
  { images, uploads, viewer, signal }: Context,
): Promise<{ images: readonly Picture[]; mask: Picture | null }> {
  const all = inputs.map((input, index) => ({ input, field: `images[${index}]` }));
  if (mask !== null) all.push({ input: mask, field: 'mask' });

  const stored = await Promise.all(
    all.map(async ({ input, field }): Promise<Picture | FieldUpload> => {
      checkOneOf(field, input);
      if (input.file) return { field, upload: input.file };
      const id = idOf('Image', input.id ?? '');
      const image = id === null ? null : await images.find(viewer, id);
      if (image === null) throw new NotFoundError('Image', input.id ?? '');
      return { kind: 'stored', image };
    }),
  );
  // A file that is used in two places is received once.
  const files = new Map<unknown, FieldUpload>();
  for (const source of stored) {
    if ('upload' in source && !files.has(source.upload)) files.set(source.upload, source);
  }
  const received = await uploads.receive([...files.values()], signal);
  const imageOf = new Map([...files.keys()].map((upload, index) => [upload, received[index]]));
  const sources = stored.map((source): Picture => {
    if (!('upload' in source)) return source;
    const image = imageOf.get(source.upload);
    if (image === undefined) throw new Error(`${source.field} was not received`);
    return { kind: 'received', image };
  });
  return mask === null
    ? { images: sources, mask: null }
    : { images: sources.slice(0, -1), mask: sources.at(-1) ?? null };
}

/** `@oneOf` sees to it in the standalone schema only. @throws InvalidInputError naming the field. */
function checkOneOf(field: string, { file, id }: ImageInputShape): void {
  const [hasFile, hasId] = [file, id].map((given) => given !== null && given !== undefined);
  if (hasFile && hasId) {
    throw new InvalidInputError(field, 'INVALID_VALUE', `${field} is a file or an id, not both.`);
  }
  if (!hasFile && !hasId) {
    throw new InvalidInputError(field, 'REQUIRED', `${field} needs a file or an id.`);
  }
}
