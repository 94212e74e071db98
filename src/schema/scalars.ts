import { GraphQLError } from 'graphql';
import { DateTimeResolver, JSONObjectResolver, LocalDateResolver } from 'graphql-scalars';
import { GraphQLUpload } from 'graphql-upload-minimal';
import { builder } from './builder.ts';

builder.addScalarType('DateTime', DateTimeResolver, {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  description:
    'A date-time string with an offset, such as `2007-12-03T10:15:30Z`: the `date-time` format of RFC 3339, section 5.6. Results are in UTC.',
});
builder.addScalarType('Date', LocalDateResolver, {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  description:
    'A date without a time zone, such as `2026-12-01`: the `full-date` format of RFC 3339, section 5.6.',
});
builder.addScalarType('JSONObject', JSONObjectResolver, {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259#section-4',
  description: 'A JSON object, as specified by RFC 8259, section 4.',
});
builder.addScalarType('Upload', GraphQLUpload, {
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  description: 'A file in a GraphQL multipart request. Each file can be used only once.',
});

builder.scalarType('ImageSize', {
  specifiedByURL: 'https://platform.openai.com/docs/api-reference/images/createEdit',
  description:
    'A size as in the edits API: `"auto"` (the model chooses) or `"WIDTHxHEIGHT"` in pixels, such as `"1024x1536"`. In addition, a requested size can be `"source"`: the model’s size nearest to the aspect ratio of the first image.',
  serialize: (value) => value,
});

builder.scalarType('Decimal', {
  specifiedByURL: 'https://www.w3.org/TR/xmlschema11-2/#decimal',
  description:
    'An exact decimal number as a string, such as `"0.0423"`, because binary floating point cannot represent it exactly. Input has no sign and at most 12 digits before and after the point.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value === 'string' && /^\d{1,12}(\.\d{1,12})?$/.test(value)) return value;
    throw new GraphQLError('A Decimal is written as text, such as "0.25".', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  },
});
