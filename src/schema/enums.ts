import { builder } from './builder.ts';

/** Values are spelled as in the edits API and stored so; names are in upper case for GraphQL. */
function words<const Word extends string>(descriptions: Record<Word, string>) {
  const values = Object.entries<string>(descriptions).map(([word, description]) => [
    word.toUpperCase(),
    { value: word, description },
  ]);
  return Object.fromEntries(values) as Record<
    Uppercase<Word>,
    { value: string; description: string }
  >;
}

export const ImageQuality = builder.enumType('ImageQuality', {
  description:
    'Quality of the output images. Each model accepts a subset; see `EditModel.qualities`.',
  values: words({
    low: 'Low quality.',
    medium: 'Medium quality.',
    high: 'High quality.',
    xhigh: 'Extra high quality.',
    max: 'Maximum quality.',
    auto: 'The model chooses the quality.',
  }),
});

export const ImageBackground = builder.enumType('ImageBackground', {
  description: 'Background of the output images. TRANSPARENT requires `outputFormat` PNG or WEBP.',
  values: words({
    transparent: 'Transparent background.',
    opaque: 'Opaque background.',
    auto: 'The model chooses the background.',
  }),
});

export const OutputFormat = builder.enumType('ImageFormat', {
  description: 'File format of an image.',
  values: words({ png: 'PNG.', jpeg: 'JPEG.', webp: 'WebP.' }),
});

export const InputFidelity = builder.enumType('InputFidelity', {
  description: 'How closely the output preserves details of the input images, faces in particular.',
  values: words({
    low: 'Preserves fewer details and uses fewer tokens.',
    high: 'Preserves more details and uses more tokens.',
  }),
});

export const Moderation = builder.enumType('Moderation', {
  description: 'Strictness of the upstream’s content moderation.',
  values: words({
    low: 'Less restrictive moderation.',
    auto: 'The upstream’s default moderation.',
  }),
});

export const EditStatusEnum = builder.enumType('EditStatus', {
  description: 'Status of an edit. All statuses except QUEUED and RUNNING are final.',
  values: {
    QUEUED: { description: 'The edit is committed to the queue and waiting to run.' },
    RUNNING: { description: 'The edit is being sent to an upstream, or its response is pending.' },
    SUCCEEDED: { description: 'The output images are stored.' },
    FAILED: { description: 'The edit failed and has no output images; see `error`.' },
    OUTCOME_UNKNOWN: {
      description:
        'A request was sent but no usable response arrived, so the edit may have been billed. It is never retried automatically; use `retryEdit` to send it again.',
    },
    CANCELED: { description: 'The edit was canceled by `cancelEdit`.' },
  },
});

export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Sort direction.',
  values: {
    ASC: { description: 'Ascending: smallest or oldest first.' },
    DESC: { description: 'Descending: largest or newest first.' },
  },
});
