import { ask, type Operation } from '../transport/graphql.ts';

/** The fields of an edit and of the input of `editImage`: the schema knows which parameters exist. */
export const PARAMETERS_QUERY = `query Parameters {
  input: __type(name: "EditImageInput") { inputFields { name } }
  job: __type(name: "EditJob") { fields { name type { kind ofType { kind } } } }
}`;

export interface ParameterTypes {
  readonly input: { readonly inputFields: readonly { readonly name: string }[] };
  readonly job: {
    readonly fields: readonly {
      readonly name: string;
      readonly type: { readonly kind: string; readonly ofType: { readonly kind: string } | null };
    }[];
  };
}

/** The input fields that an edit has under the same name, as one value. */
export function parameterNames({ input, job }: ParameterTypes): readonly string[] {
  const isValue = (kind: string) => kind === 'SCALAR' || kind === 'ENUM';
  const values = job.fields.filter(({ type }) =>
    isValue(type.kind === 'NON_NULL' ? (type.ofType?.kind ?? '') : type.kind),
  );
  const names = new Set(values.map(({ name }) => name));
  return input.inputFields.map(({ name }) => name).filter((name) => names.has(name));
}

export const editInputQuery = (names: readonly string[]) => `query EditInput($id: ID!) {
  editJob(id: $id) {
    prompt { text }
    inputImages { id }
    mask { id }
    requestedPartialImages
    ${names.join('\n    ')}
  }
}`;

export const AGAIN_MUTATION = `mutation Edit($input: EditImageInput!) {
  editImage(input: $input) {
    ... on EditImagePayload { editJob { id status outputImages { url } error { code message } } }
    ... on Error { message }
  }
}`;

type EditInput = Readonly<Record<string, unknown>> & {
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
  const names = parameterNames(await ask<ParameterTypes>({ query: PARAMETERS_QUERY }));
  const { editJob } = await ask<{ editJob: EditInput | null }>({
    query: editInputQuery(names),
    variables: { id },
  });
  if (editJob === null) throw new Error('The edit was deleted.');
  return { query: AGAIN_MUTATION, variables: { input: inputOf(editJob, names) } };
}

function inputOf(editJob: EditInput, names: readonly string[]): Record<string, unknown> {
  const { prompt, inputImages, mask, requestedPartialImages: partialImages } = editJob;
  const given = names.filter((name) => !isLeftOut(editJob[name]));
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
