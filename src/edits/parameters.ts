import type { Prisma } from '../database/database.ts';
import type { EditModel, ValueLimit } from '../models/model.ts';

/** The most that any model accepts for an integer. Models may accept less. */
type IntegerLimit = Extract<keyof EditModel, 'maxN' | 'maxPartialImages'>;

/** What is the same for every kind of parameter. */
interface Common {
  /** Form field of the edits API. */
  readonly wireName: string;
  /** Of the field of `EditImageInput`. */
  readonly description: string;
  /** Of the field of `EstimateEditInput`. Absent: the parameter does not affect an estimate. */
  readonly estimateDescription?: string;
  /** Of the field of `EditJob`. */
  readonly jobDescription: string;
  /** Name of the field of `EditJob` and in exports, where it differs from the argument's. */
  readonly jobField?: string;
  /** Every job has a value: the client's or a default. */
  readonly isAlwaysSet?: true;
  /** The service's default. The upstream has the same if `isDefaultSent` is false. */
  readonly default?: string | number;
  /** False: the default is not sent. */
  readonly isDefaultSent?: false;
  /** Form fields that are sent with it. */
  readonly sentWith?: readonly (readonly [name: string, value: string])[];
  /** Why the value is not valid together with others. Null: it is. */
  conflict?(given: { readonly [name: string]: unknown }): string | null;
}

/** Text with a check of its own in input/parameters.ts. */
interface TextParameter extends Common {
  readonly type: 'text';
  readonly graphqlType: 'String' | 'ImageSize';
}

interface IntegerParameter extends Common {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number | IntegerLimit;
  /** Zero means the same as an omitted value, and is stored and sent like it. */
  readonly isZeroOmitted?: true;
}

/** One of several values, stored and sent in the edits API's spelling; in upper case in GraphQL. */
export interface EnumParameter extends Common {
  readonly type: 'enum';
  readonly enumName: string;
  readonly enumDescription: string;
  /** Values with their descriptions. */
  readonly values: Readonly<Record<string, string>>;
  /** The values that a model accepts. Absent: every model is assumed to accept all. */
  readonly limit?: ValueLimit;
}

export type Parameter = TextParameter | IntegerParameter | EnumParameter;

const OMITTED = 'Null if omitted; the upstream’s default then applies.';

/**
 * The parameters of the edits API, one row each, in the order of its form. A row's key is the name of
 * the GraphQL argument and of the column of EditJob (of the prompt: `promptId`). Everything that
 * handles parameters derives from this table, so a new one needs a row, a column with its migration,
 * its values for each model in models/catalogue.json, and a rule of the sandbox.
 */
export const PARAMETERS = {
  prompt: {
    wireName: 'prompt',
    type: 'text',
    graphqlType: 'String',
    isAlwaysSet: true,
    description: 'Description of the edit, in any language; at most 32,000 characters.',
    estimateDescription: 'Description of the edit; at most 32,000 characters.',
    jobDescription: 'The prompt that describes the edit.',
  },
  model: {
    wireName: 'model',
    type: 'text',
    graphqlType: 'String',
    isAlwaysSet: true,
    description:
      'Name of the model. Defaults to the server’s default model; see the query `models`.',
    estimateDescription: 'Name of the model. Defaults to the server’s default model.',
    jobDescription: 'Name of the model, as sent to the upstream.',
  },
  n: {
    wireName: 'n',
    type: 'integer',
    min: 1,
    max: 'maxN',
    isAlwaysSet: true,
    default: 1,
    isDefaultSent: false,
    description: 'Number of output images: 1 to 10, default 1.',
    estimateDescription: 'Number of output images: 1 to 10, default 1.',
    jobDescription: 'Number of output images requested.',
  },
  size: {
    wireName: 'size',
    type: 'text',
    graphqlType: 'ImageSize',
    isAlwaysSet: true,
    default: '1024x1024',
    description: 'Size of the output images. Defaults to `"1024x1024"`.',
    estimateDescription: 'Size of the output images. Defaults to `"1024x1024"`.',
    jobDescription: 'The requested size.',
  },
  quality: {
    wireName: 'quality',
    type: 'enum',
    enumName: 'ImageQuality',
    enumDescription:
      'Quality of the output images. Each model accepts a subset; see `EditModel.qualities`.',
    values: {
      low: 'Low quality.',
      medium: 'Medium quality.',
      high: 'High quality.',
      xhigh: 'Extra high quality.',
      max: 'Maximum quality.',
      auto: 'The model chooses the quality.',
    },
    limit: 'qualities',
    description: 'Quality of the output images. Higher quality uses more tokens.',
    estimateDescription: 'Quality of the output images. Defaults to AUTO: the model chooses.',
    jobDescription: `Quality, as requested. ${OMITTED}`,
  },
  background: {
    wireName: 'background',
    type: 'enum',
    enumName: 'ImageBackground',
    enumDescription:
      'Background of the output images. TRANSPARENT requires `outputFormat` PNG or WEBP.',
    values: {
      transparent: 'Transparent background.',
      opaque: 'Opaque background.',
      auto: 'The model chooses the background.',
    },
    limit: 'backgrounds',
    description: 'Background of the output images.',
    jobDescription: `Background, as requested. ${OMITTED}`,
    conflict: ({ background, outputFormat }) =>
      background === 'transparent' && outputFormat === 'jpeg'
        ? 'A transparent background requires outputFormat PNG or WEBP: JPEG has no transparency.'
        : null,
  },
  outputFormat: {
    wireName: 'output_format',
    type: 'enum',
    enumName: 'ImageFormat',
    enumDescription: 'File format of an image.',
    values: { png: 'PNG.', jpeg: 'JPEG.', webp: 'WebP.' },
    limit: 'outputFormats',
    description: 'File format of the output images.',
    jobDescription: `Output format, as requested. ${OMITTED} For the actual format see \`Image.format\` of \`outputImages\`.`,
  },
  outputCompression: {
    wireName: 'output_compression',
    type: 'integer',
    min: 0,
    max: 100,
    description: 'Compression level of JPEG and WEBP output, 0 to 100.',
    jobDescription: 'Compression level, 0 to 100, as requested. Null if omitted.',
    conflict: ({ outputFormat }) =>
      outputFormat === 'jpeg' || outputFormat === 'webp'
        ? null
        : 'outputCompression requires outputFormat JPEG or WEBP.',
  },
  inputFidelity: {
    wireName: 'input_fidelity',
    type: 'enum',
    enumName: 'InputFidelity',
    enumDescription:
      'How closely the output preserves details of the input images, faces in particular.',
    values: {
      low: 'Preserves fewer details and uses fewer tokens.',
      high: 'Preserves more details and uses more tokens.',
    },
    limit: 'inputFidelities',
    description: 'How closely the output preserves details of the input images.',
    estimateDescription: 'Input fidelity. Defaults to LOW.',
    jobDescription: `Input fidelity, as requested. ${OMITTED}`,
  },
  moderation: {
    wireName: 'moderation',
    type: 'enum',
    enumName: 'Moderation',
    enumDescription: 'Strictness of the upstream’s content moderation.',
    values: {
      low: 'Less restrictive moderation.',
      auto: 'The upstream’s default moderation.',
    },
    description: 'Strictness of the upstream’s content moderation.',
    jobDescription: `Moderation level, as requested. ${OMITTED}`,
  },
  complexity: {
    wireName: 'complexity',
    type: 'enum',
    enumName: 'EditComplexity',
    enumDescription:
      'How much the model plans before it renders. Each model accepts a subset; see `EditModel.complexities`.',
    values: {
      low: 'Little planning.',
      medium: 'Medium planning.',
      high: 'Extensive planning.',
    },
    limit: 'complexities',
    description: 'How much the model plans before it renders the output images.',
    estimateDescription: 'Validated only; its effect on usage is not published.',
    jobDescription: `Complexity, as requested. ${OMITTED}`,
  },
  partialImages: {
    wireName: 'partial_images',
    type: 'integer',
    min: 0,
    max: 'maxPartialImages',
    isZeroOmitted: true,
    sentWith: [['stream', 'true']],
    description:
      'Number of partial images for each output image, 0 to 3, default 0. Delivered by the subscription `editJob`. Each partial image uses additional tokens.',
    estimateDescription: 'Number of partial images for each output image: 0 to 3, default 0.',
    // `EditJob.partialImages` are the images themselves.
    jobField: 'requestedPartialImages',
    jobDescription: 'Number of partial images requested for each output image.',
  },
} as const satisfies Record<string, Parameter>;

type Parameters = typeof PARAMETERS;
export type ParameterName = keyof Parameters;
export type EnumParameterName = {
  [Name in ParameterName]: Parameters[Name]['type'] extends 'enum' ? Name : never;
}[ParameterName];
/** Those with a column of EditJob under their own name. */
export type ParameterColumn = Exclude<ParameterName, 'prompt'>;

/** Fails to compile for a parameter without a column. */
export type ParameterColumns = Pick<Prisma.EditJobModel, ParameterColumn>;

export type ParameterValue<Name extends ParameterName> = Parameters[Name] extends {
  type: 'integer';
}
  ? number
  : string;

/** The rows in order. */
export const PARAMETER_ROWS = Object.entries(PARAMETERS) as [ParameterName, Parameter][];

/** The rows with a column of their own, in order. */
export const COLUMN_ROWS = PARAMETER_ROWS.filter(([name]) => name !== 'prompt') as [
  ParameterColumn,
  Parameter,
][];

export type JobField<Name extends ParameterName> = Parameters[Name] extends {
  jobField: infer Field extends string;
}
  ? Field
  : Name;

export type ShownParameters = {
  readonly [Name in ParameterColumn as JobField<Name>]: Parameters[Name] extends {
    isZeroOmitted: true;
  }
    ? number
    : ParameterColumns[Name];
};

/** The names of `ShownParameters`, in order. */
export const SHOWN_PARAMETERS = COLUMN_ROWS.map(
  ([name, { jobField }]) => jobField ?? name,
) as (keyof ShownParameters)[];

/** The value of a column as GraphQL and exports show it. */
export function shownValue(row: Parameter, value: string | number | null): string | number | null {
  return value ?? (row.type === 'integer' && row.isZeroOmitted ? 0 : null);
}

/** The name that GraphQL and exports have for a value of an enum, which is stored as it is sent. */
export function enumValueName(value: string): string {
  return value.toUpperCase();
}

/** The parameters of a job under the names, and with the values, that GraphQL and exports show. */
export function shownParameters(job: ParameterColumns): ShownParameters {
  return Object.fromEntries(
    COLUMN_ROWS.map(([name, row]) => {
      const value = shownValue(row, job[name]);
      const isName = row.type === 'enum' && typeof value === 'string';
      return [row.jobField ?? name, isName ? enumValueName(value) : value];
    }),
  ) as unknown as ShownParameters;
}
