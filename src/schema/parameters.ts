import type { InputFieldRef } from '@pothos/core';
import {
  COLUMN_ROWS,
  type EnumParameterName,
  PARAMETER_ROWS,
  type Parameter,
  type ParameterName,
  type ParameterValue,
  shownValue,
} from '../edits/parameters.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { type ImageQuality, PARAMETER_ENUMS } from './enums.ts';

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Found> ? Found : never;

type ArgumentFields = {
  readonly [Name in ParameterName]: InputFieldRef<
    Types,
    Name extends 'prompt' ? string : ParameterValue<Name> | null | undefined
  >;
};

/** A field of an input type for every parameter. */
export function parameterArguments(
  t: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>,
  describe: (row: Parameter) => string,
): ArgumentFields {
  return Object.fromEntries(
    PARAMETER_ROWS.map(([name, row]) => [
      name,
      t.field({
        type: typeOf(name, row),
        required: name === 'prompt',
        description: describe(row),
      }),
    ]),
  ) as unknown as ArgumentFields;
}

builder.prismaObjectFields(EditJob, (t) =>
  Object.fromEntries(
    COLUMN_ROWS.map(([name, row]) => [
      row.jobField ?? name,
      t.field({
        type: typeOf(name, row),
        nullable: !row.isAlwaysSet && shownValue(row, null) === null,
        description: row.jobDescription,
        select: { [name]: true } as { quality: true },
        resolve: (job) => shownValue(row, job[name as 'quality']) as string,
      }),
    ]),
  ),
);

/** One type stands for all, since a list of fields has no type for each. */
function typeOf(name: ParameterName, row: Parameter): typeof ImageQuality {
  const type =
    row.type === 'enum'
      ? PARAMETER_ENUMS[name as EnumParameterName]
      : row.type === 'integer'
        ? 'Int'
        : row.graphqlType;
  return type as typeof ImageQuality;
}
