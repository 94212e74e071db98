import { InvalidInputError } from '../errors.ts';
import { builder } from './builder.ts';
import { OutputFormat } from './enums.ts';
import { encodeGlobalId, idOf } from './global-id.ts';
import { MAX_INLINE_BYTES } from './inline-images.ts';

const DEFAULT_THUMBNAIL_WIDTH = 256;

export const Image = builder.prismaNode('Image', {
  description:
    'A stored picture: an input, a mask or an output. Uploading the same bytes again gives the same Image.',
  id: { field: 'id', description: 'Global id; good as an `ImageInput.id` of a later edit.' },
  findUnique: (id, { viewer }) => ({ id, ownerId: viewer.ownerId }),
  fields: (t) => ({
    url: t.string({
      description: 'Where the picture’s bytes are served.',
      select: { id: true },
      resolve: ({ id }, _, { baseUrl }) => imageUrl(baseUrl, id),
    }),
    thumbnailUrl: t.string({
      description: 'Where a small WebP of the picture is served.',
      args: {
        width: t.arg.int({
          defaultValue: DEFAULT_THUMBNAIL_WIDTH,
          description: 'Wanted width in pixels; the next larger of 64, 128, 256, 512 and 1024.',
        }),
      },
      select: { id: true },
      resolve: ({ id }, { width }, { baseUrl }) =>
        `${imageUrl(baseUrl, id)}?w=${width ?? DEFAULT_THUMBNAIL_WIDTH}`,
    }),
    thumbHash: t.string({
      nullable: true,
      description:
        'ThumbHash (https://evanw.github.io/thumbhash) as base64: a placeholder of some 25 bytes. Null for a moment after the edit, and for pictures that cannot be decoded.',
      select: { thumbHash: true },
      resolve: ({ thumbHash }) =>
        thumbHash === null ? null : Buffer.from(thumbHash).toString('base64'),
    }),
    b64Json: t.string({
      nullable: true,
      description: `The whole image file as base64. One operation returns at most ${MAX_INLINE_BYTES / 1024 ** 2} MiB of images, counted as often as they are selected, or one image of any size; beyond that all are null, with an error of code QUERY_TOO_LARGE. Prefer \`url\`: an image of 25 MB is 33 MB here.`,
      select: { ownerId: true, sha256: true, bytes: true },
      resolve: (image, _, { inlineImages }) => inlineImages.add(image),
    }),
    format: t.field({
      type: OutputFormat,
      description: 'File format, told by the bytes.',
      select: { format: true },
      resolve: ({ format }) => FORMAT[format],
    }),
    width: t.exposeInt('width', {
      description:
        'Pixels, as browsers show the image: after its EXIF orientation, which WebP images do not have.',
    }),
    height: t.exposeInt('height', {
      description:
        'Pixels, as browsers show the image: after its EXIF orientation, which WebP images do not have.',
    }),
    bytes: t.exposeInt('bytes', { description: 'Size of the file in bytes.' }),
    sha256: t.exposeString('sha256', {
      description: 'SHA-256 of the file, lower-case hex. Also the ETag of `url`.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the picture was first stored.',
    }),
  }),
});

const FORMAT = { PNG: 'png', JPEG: 'jpeg', WEBP: 'webp' } as const;

export function imageUrl(baseUrl: string, id: string): string {
  return `${baseUrl}/images/${encodeGlobalId('Image', id)}`;
}

builder.queryField('image', (t) =>
  t.prismaField({
    type: 'Image',
    nullable: true,
    description: 'A picture by its id; null when it does not exist, or is not the viewer’s.',
    args: {
      id: t.arg.id({ required: true, description: 'The Image’s global id.' }),
    },
    resolve: (query, _, { id: globalId }, { prisma, viewer }) => {
      const id = idOf('Image', globalId);
      if (id === null) return null;
      return prisma.image.findFirst({ ...query, where: { id, ownerId: viewer.ownerId } });
    },
  }),
);

const UploadImagePayload = builder.objectRef<{ id: string }>('UploadImagePayload').implement({
  description: 'The picture is stored.',
  fields: (t) => ({
    image: t.prismaField({
      type: 'Image',
      description: 'The stored picture; the same as before if these bytes were stored already.',
      resolve: (query, { id }, _, { prisma }) =>
        prisma.image.findUniqueOrThrow({ ...query, where: { id } }),
    }),
  }),
});

builder.mutationField('uploadImage', (t) =>
  t.field({
    type: UploadImagePayload,
    description: 'Stores a picture for later edits, which name it by its id.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: { name: 'UploadImageResult', description: 'The stored picture, or what is wrong.' },
    },
    args: {
      file: t.arg({
        type: 'Upload',
        required: true,
        description: 'PNG, JPEG or WebP, within the server’s limits of bytes and pixels.',
      }),
    },
    resolve: (_, { file }, { uploads, viewer, signal }) =>
      uploads.store(viewer, { field: 'file', upload: file }, signal),
  }),
);
