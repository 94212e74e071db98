import { ask, type Operation } from '../transport/graphql.ts';

/** Arguments of `editImage` besides images and prompt, by their names in `EditJob`. */
const PARAMETERS = [
  'model',
  'size',
  'n',
  'quality',
  'background',
  'outputFormat',
  'outputCompression',
  'inputFidelity',
  'moderation',
  'extraParams',
  'metadata',
] as const;

export const EDIT_INPUT_QUERY = `query EditInput($id: ID!) {
  editJob(id: $id) {
    prompt { text }
    inputImages { id }
    mask { id }
    requestedPartialImages
    ${PARAMETERS.join('\n    ')}
  }
}`;

export const AGAIN_MUTATION = `mutation Edit($input: EditImageInput!) {
  editImage(input: $input) {
    ... on EditImagePayload { editJob { id status outputImages { url } error { code message } } }
    ... on Error { message }
  }
}`;

type EditInput = Readonly<Record<(typeof PARAMETERS)[number], unknown>> & {
  readonly prompt: { readonly text: string };
  readonly inputImages: readonly { readonly id: string }[];
  readonly mask: { readonly id: string } | null;
  readonly requestedPartialImages: number;
};

/**
 * Returns the operation that submits an edit again as a new one, with the same stored images.
 * @throws Error for people if the edit cannot be read or was deleted.
 */
export async function editOperationOf(id: string): Promise<Operation> {
  const { editJob } = await ask<{ editJob: EditInput | null }>({
    query: EDIT_INPUT_QUERY,
    variables: { id },
  });
  if (editJob === null) throw new Error('The edit was deleted.');
  return { query: AGAIN_MUTATION, variables: { input: inputOf(editJob) } };
}

function inputOf(editJob: EditInput): Record<string, unknown> {
  const { prompt, inputImages, mask, requestedPartialImages: partialImages } = editJob;
  const given = PARAMETERS.filter((name) => !isLeftOut(editJob[name]));
  return {
    images: inputImages.map((image) => ({ id: image.id })),
    ...(mask && { mask: { id: mask.id } }),
    prompt: prompt.text,
    ...Object.fromEntries(given.map((name) => [name, editJob[name]])),
    ...(partialImages > 0 && { partialImages }),
  };
}

function isLeftOut(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}
