import {
  type EnumParameter,
  type EnumParameterName,
  enumValueName,
  PARAMETER_ROWS,
} from '../edits/parameters.ts';
import { builder } from './builder.ts';

/** Values are stored and sent as the edits API spells them; GraphQL shows them in upper case. */
function parameterEnum({ enumName, enumDescription, values }: EnumParameter) {
  return builder.enumType(enumName, {
    description: enumDescription,
    values: Object.fromEntries(
      Object.entries(values).map(([value, description]) => [
        enumValueName(value),
        { value, description },
      ]),
    ),
  });
}

/** The enum of every parameter that is one. */
export const PARAMETER_ENUMS = Object.fromEntries(
  PARAMETER_ROWS.flatMap(([name, row]) =>
    row.type === 'enum' ? [[name, parameterEnum(row)]] : [],
  ),
) as Readonly<Record<EnumParameterName, ReturnType<typeof parameterEnum>>>;

export const { quality: ImageQuality, outputFormat: OutputFormat } = PARAMETER_ENUMS;

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

export const EditSourceEnum = builder.enumType('EditSource', {
  description: 'The API that submitted an edit.',
  values: {
    GRAPHQL: { description: 'This GraphQL API.' },
    OPENAI_API: { description: 'The OpenAI-compatible API, `POST /v1/images/edits`.' },
  },
});

export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Sort direction.',
  values: {
    ASC: { description: 'Ascending: smallest or oldest first.' },
    DESC: { description: 'Descending: largest or newest first.' },
  },
});
