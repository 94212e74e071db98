import { PARAMETER_ROWS } from '../../../edits/parameters.ts';
import { InvalidInputError } from '../../../errors.ts';

/** How a request spells its fields: as a form, or as JSON. */
export type Spelling = 'form' | 'json';

const WIRE_NAMES = new Map(
  PARAMETER_ROWS.map(([name, { wireName }]) => [name as string, wireName]),
);

const SPELLED_DIFFERENTLY = [...WIRE_NAMES].filter(([name, wireName]) => name !== wireName);

/**
 * An InvalidInputError whose fields have the names of the edits API, also in its messages. Any other
 * error is returned as it is.
 */
export function toWireError<Given>(error: Given, spelling: Spelling): Given | InvalidInputError {
  if (!(error instanceof InvalidInputError)) return error;
  const problems = error.problems.map((problem) => ({
    ...problem,
    field: toWireField(problem.field, spelling),
    message: toWireMessage(problem.message, spelling),
  }));
  const [first, ...others] = problems;
  if (first === undefined) return error;
  const { field, code, message } = first;
  return new InvalidInputError(field, code, message, { others, cause: error.cause });
}

function toWireField(field: string, spelling: Spelling): string {
  if (field.startsWith('extraParams.')) return field.slice('extraParams.'.length);
  if (spelling === 'form') {
    if (field.startsWith('metadata.')) return `metadata[${field.slice('metadata.'.length)}]`;
    if (/^images(\[|$)/.test(field)) return field.replace('images', 'image');
  }
  return WIRE_NAMES.get(field) ?? field;
}

function toWireMessage(message: string, spelling: Spelling): string {
  const renamed = SPELLED_DIFFERENTLY.reduce(
    (text, [name, wireName]) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), wireName),
    message,
  );
  return spelling === 'form' ? renamed.replaceAll(/\bimages(?=\[\d+\])/g, 'image') : renamed;
}
