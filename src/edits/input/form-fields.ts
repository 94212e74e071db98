import { PARAMETER_ROWS, type Parameter } from '../parameters.ts';
import type { JsonValue } from './json-object.ts';
import type { EditParams } from './parameters.ts';

/** The form fields of the edits API, in its documented order; what was not given is not sent. */
export function toFormFields(params: EditParams, resolvedSize: string): [string, string][] {
  const values: EditParams = { ...params, size: resolvedSize };
  const fields = PARAMETER_ROWS.flatMap(([name, row]) => formFields(row, values[name]));
  const extra = Object.entries(params.extraParams ?? {}).flatMap(([name, value]) =>
    // The brackets are how forms spell a list.
    Array.isArray(value) && name.endsWith('[]')
      ? value.map((item) => extraField(name, item))
      : [extraField(name, value)],
  );
  return [...fields, ...extra];
}

function extraField(name: string, value: JsonValue): [string, string] {
  return [name, typeof value === 'string' ? value : JSON.stringify(value)];
}

function formFields(row: Parameter, value: string | number | null): [string, string][] {
  if (value === null || (row.isDefaultSent === false && value === row.default)) return [];
  const others = (row.sentWith ?? []).map(([name, sent]): [string, string] => [name, sent]);
  return [...others, [row.wireName, String(value)]];
}
