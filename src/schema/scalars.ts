import { GraphQLError } from 'graphql';
import { DateTimeResolver, JSONObjectResolver } from 'graphql-scalars';
import { GraphQLUpload } from 'graphql-upload-minimal';
import { builder } from './builder.ts';

builder.addScalarType('DateTime', DateTimeResolver);
builder.addScalarType('JSONObject', JSONObjectResolver);
builder.addScalarType('Upload', GraphQLUpload, {
  description:
    'A file in a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec). Each file can be used only once.',
});

builder.scalarType('ImageSize', {
  description:
    '`"auto"` (the model chooses), `"source"` (the model’s size nearest to the aspect ratio of the first image) or `"WIDTHxHEIGHT"` in pixels, such as `"1024x1536"`.',
  serialize: (value) => value,
});

builder.scalarType('Decimal', {
  description:
    'An exact decimal number as a string, such as `"0.0423"`, because binary floating point cannot represent it exactly.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value === 'string' && /^\d{1,12}(\.\d{1,12})?$/.test(value)) return value;
    throw new GraphQLError('A Decimal is written as text, such as "0.25".', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  },
});
