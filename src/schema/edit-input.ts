import type { Prisma } from '../database/database.ts';
import { builder } from './builder.ts';
import { Image } from './image.ts';

/** A link from a job to one of its inputs, with the selected image. */
type InputLink = Pick<Prisma.EditJobImageModel, 'role' | 'sentSha256'> & {
  readonly image: Prisma.ImageModel;
};

const EditInputRole = builder.enumType('EditInputRole', {
  description: 'Role of an input image.',
  values: {
    IMAGE: { value: 'INPUT', description: 'An image to edit.' },
    MASK: { value: 'MASK', description: 'The mask of the first image.' },
  } as const,
});

export const EditInput = builder.objectRef<InputLink>('EditInput').implement({
  description: 'An image used as an input of one edit.',
  fields: (t) => ({
    role: t.field({
      type: EditInputRole,
      description: 'Role of the image.',
      resolve: ({ role }) => (role === 'MASK' ? 'MASK' : 'INPUT'),
    }),
    image: t.field({
      type: Image,
      description: 'The stored image, as it was uploaded.',
      resolve: ({ image }) => image,
    }),
    sentSha256: t.exposeString('sentSha256', {
      nullable: true,
      description:
        'SHA-256 (lower-case hex) of the bytes that the last attempt sent to the upstream: the first image of the file, without its metadata. Equals `image.sha256` when the whole file was sent. Null until the edit is sent.',
    }),
  }),
});
