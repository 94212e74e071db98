import { PARAMETER_ROWS, type Parameter } from '../parameters.ts';
import type { EditParams } from './parameters.ts';

/** The form fields of the edits API, in its documented order; what was not given is not sent. */
export function toFormFields(params: EditParams, resolvedSize: string): [string, string][] {
  const values: EditParams = { ...params, size: resolvedSize };
  const fields = PARAMETER_ROWS.flatMap(([name, row]) => formFields(row, values[name]));
  const extra = Object.entries(params.extraParams ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return [...fields, ...extra];
}

function formFields(row: Parameter, value: string | number | null): [string, string][] {
  if (value === null || (row.isDefaultSent === false && value === row.default)) return [];
  const others = (row.sentWith ?? []).map(([name, sent]): [string, string] => [name, sent]);
  return [...others, [row.wireName, String(value)]];
}
