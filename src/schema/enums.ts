import { builder } from './builder.ts';

/** Values are the edits API's own words, as the database keeps them; names are GraphQL's upper case. */
function words<const Word extends string>(...all: Word[]) {
  const values = all.map((word) => [word.toUpperCase(), { value: word }]);
  return Object.fromEntries(values) as Record<Uppercase<Word>, { value: string }>;
}

export const ImageQuality = builder.enumType('ImageQuality', {
  description: 'How much work the model puts in; each model takes some of these.',
  values: words('low', 'medium', 'high', 'xhigh', 'max', 'auto'),
});

export const ImageBackground = builder.enumType('ImageBackground', {
  description: 'Background of the output. Transparent needs `outputFormat` PNG or WEBP.',
  values: words('transparent', 'opaque', 'auto'),
});

export const OutputFormat = builder.enumType('ImageFormat', {
  description: 'File format of a picture.',
  values: words('png', 'jpeg', 'webp'),
});

export const InputFidelity = builder.enumType('InputFidelity', {
  description: 'How closely the output keeps to the input’s details, faces above all.',
  values: words('low', 'high'),
});

export const Moderation = builder.enumType('Moderation', {
  description: 'How strictly the edits API moderates.',
  values: words('low', 'auto'),
});

export const EditStatusEnum = builder.enumType('EditStatus', {
  description: 'Where an edit stands. The last four are final.',
  values: {
    QUEUED: { description: 'Committed, waiting for its turn.' },
    RUNNING: { description: 'On its way to the edits API, or waiting for the answer.' },
    SUCCEEDED: { description: 'The pictures are stored.' },
    FAILED: { description: 'No pictures, and surely none to come; `error` says why.' },
    OUTCOME_UNKNOWN: {
      description:
        'The request went out and no usable answer came: it may have been paid. It is sent again only when somebody asks.',
    },
    CANCELED: { description: 'Stopped on request.' },
  },
});

export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way an order goes.',
  values: {
    ASC: { description: 'The smallest or oldest first.' },
    DESC: { description: 'The largest or newest first.' },
  },
});
