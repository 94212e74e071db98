import { visibleTo } from '../auth/visible.ts';
import { InvalidInputError } from '../errors.ts';
import { idOf } from '../public-ids/global-id.ts';
import { SIGNED_SECONDS } from '../public-ids/image-links.ts';
import { ACTING_FOR, builder } from './builder.ts';
import { OutputFormat } from './enums.ts';
import { findUnlessNull } from './find-unless-null.ts';
import { MAX_INLINE_BYTES } from './inline-images.ts';

const DEFAULT_THUMBNAIL_WIDTH = 256;

const EXPIRES_IN = {
  defaultValue: SIGNED_SECONDS.default,
  description: `Minimum number of seconds for which a signed URL works, from ${SIGNED_SECONDS.min} to ${SIGNED_SECONDS.max} (7 days). It works up to a quarter longer, so that it is the same URL for a while. Ignored without authentication.`,
};

/** @throws InvalidInputError */
function checkExpiresIn(seconds: number | null | undefined): number {
  const { min, max } = SIGNED_SECONDS;
  const given = seconds ?? SIGNED_SECONDS.default;
  if (given >= min && given <= max) return given;
  throw new InvalidInputError(
    'expiresIn',
    given < min ? 'TOO_SMALL' : 'TOO_LARGE',
    `expiresIn must be from ${min} to ${max} seconds.`,
  );
}

export const Image = builder.prismaNode('Image', {
  description:
    'A stored image: an input image, a mask, an output image or a partial image. Uploading the same bytes again returns the same Image.',
  id: { field: 'id', description: 'Global id. Can be used as `ImageInput.id` of a later edit.' },
  select: { id: true },
  findUnique: (id, { viewer }) => ({ id, ...visibleTo(viewer) }),
  fields: (t) => ({
    url: t.string({
      description:
        'URL of the image file. With authentication it is signed: whoever has it can load the image without credentials, until it expires.',
      args: { expiresIn: t.arg.int(EXPIRES_IN) },
      select: { id: true },
      resolve: ({ id }, { expiresIn }, { baseUrl, imageLinks }) =>
        imageLinks.url(baseUrl, id, { seconds: checkExpiresIn(expiresIn) }),
    }),
    thumbnailUrl: t.string({
      description: 'URL of a WebP thumbnail of the image, signed as `url` is.',
      args: {
        width: t.arg.int({
          defaultValue: DEFAULT_THUMBNAIL_WIDTH,
          description:
            'Requested width in pixels, at most 1024; rounded up to 64, 128, 256, 512 or 1024.',
        }),
        expiresIn: t.arg.int(EXPIRES_IN),
      },
      select: { id: true },
      resolve: ({ id }, { width, expiresIn }, { baseUrl, imageLinks }) =>
        imageLinks.url(baseUrl, id, {
          width: width ?? DEFAULT_THUMBNAIL_WIDTH,
          seconds: checkExpiresIn(expiresIn),
        }),
    }),
    thumbHash: t.string({
      nullable: true,
      description:
        'ThumbHash (https://evanw.github.io/thumbhash) as base64: a placeholder of about 25 bytes. Null until it is computed, shortly after the edit, and for images that cannot be decoded.',
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
      description: 'File format, detected from the bytes.',
      select: { format: true },
      resolve: ({ format }) => FORMAT[format],
    }),
    width: t.exposeInt('width', {
      description:
        'Width in pixels as displayed: after applying the EXIF orientation, which is ignored for WebP.',
    }),
    height: t.exposeInt('height', {
      description:
        'Height in pixels as displayed: after applying the EXIF orientation, which is ignored for WebP.',
    }),
    bytes: t.exposeInt('bytes', { description: 'Size of the file in bytes.' }),
    sha256: t.exposeString('sha256', {
      description: 'SHA-256 of the file, lower-case hex. Also the ETag of `url`.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the image was first stored.',
    }),
  }),
});

const FORMAT = { PNG: 'png', JPEG: 'jpeg', WEBP: 'webp' } as const;

builder.queryField('image', (t) =>
  t.prismaField({
    type: 'Image',
    nullable: true,
    description:
      'Looks up an image by its global id. Returns null if it does not exist or belongs to another owner.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of the Image.' }),
    },
    resolve: (query, _, { id: globalId }, { prisma, viewer }) =>
      findUnlessNull(query, idOf('Image', globalId), (selection, id) =>
        prisma.image.findFirst({ ...selection, where: { id, ...visibleTo(viewer) } }),
      ),
  }),
);

const UploadImageInput = builder.inputType('UploadImageInput', {
  description: 'The image to store.',
  fields: (t) => ({
    file: t.field({
      type: 'Upload',
      required: true,
      description: 'PNG, JPEG or WebP file, within the server’s limits on bytes and pixels.',
    }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const UploadImagePayload = builder.objectRef<{ id: string }>('UploadImagePayload').implement({
  description: 'Result of a successful `uploadImage`.',
  fields: (t) => ({
    image: t.prismaField({
      type: 'Image',
      description: 'The stored image; the existing Image if these bytes were already stored.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.image.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('uploadImage', (t) =>
  t.field({
    type: UploadImagePayload,
    description: 'Stores an image for use in later edits by `ImageInput.id`.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: { name: 'UploadImageResult', description: 'The stored image, or an error.' },
    },
    args: {
      input: t.arg({
        type: UploadImageInput,
        required: true,
        description: 'The image to store.',
      }),
    },
    resolve: (_, { input: { file } }, { uploads, viewer, signal }) =>
      uploads.store(viewer, { field: 'file', upload: file }, signal),
  }),
);
