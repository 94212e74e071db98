import { DEFAULT_N, type EditParams } from './parameters.ts';

/** The form fields of the edits API, in its documented order; what was not given is not sent. */
export function toFormFields(params: EditParams, resolvedSize: string): [string, string][] {
  const fields: [string, string | number | null][] = [
    ['prompt', params.prompt],
    ['model', params.model],
    ['n', params.n === DEFAULT_N ? null : params.n],
    ['size', resolvedSize],
    ['quality', params.quality],
    ['background', params.background],
    ['output_format', params.outputFormat],
    ['output_compression', params.outputCompression],
    ['input_fidelity', params.inputFidelity],
    ['moderation', params.moderation],
    ['stream', params.partialImages === null ? null : 'true'],
    ['partial_images', params.partialImages],
  ];
  for (const [name, value] of Object.entries(params.extraParams ?? {})) {
    fields.push([name, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  return fields
    .filter((field): field is [string, string | number] => field[1] !== null)
    .map(([name, value]) => [name, String(value)]);
}
