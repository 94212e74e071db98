import type { GraphqlAnswer } from './app.ts';
import { EDIT } from './operations.ts';

/** What the tests of whole processes ask of a service. All rejections mean: not acknowledged. */
export interface GraphqlClient {
  query(query: string, variables?: object): Promise<GraphqlAnswer>;
  uploadImage(file: Uint8Array): Promise<string>;
  /** Answers `data.editImage`, or throws what stands in `errors`. */
  edit(input: object): Promise<ReturnType<typeof JSON.parse>>;
  /** The same with an uploaded image as the only one. */
  editUpload(file: Uint8Array, input: object): Promise<ReturnType<typeof JSON.parse>>;
  job(id: string): Promise<ReturnType<typeof JSON.parse>>;
}

const JOB = EDIT.replace(
  /^[\s\S]*?(?=fragment)/,
  'query($id: ID!) { editJob(id: $id) { ...Job } }',
);
const UPLOAD =
  'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }';

/**
 * @param url of the service; a function when it moves.
 * @param headers of every request.
 */
export function createGraphqlClient(
  url: () => string,
  headers: Record<string, string> = {},
): GraphqlClient {
  async function answer(init: {
    headers: Record<string, string>;
    body: string | FormData;
  }): Promise<GraphqlAnswer> {
    const all = { ...headers, ...init.headers };
    const response = await fetch(`${url()}/graphql`, { method: 'POST', ...init, headers: all });
    return { ...(await response.json()), httpStatus: response.status };
  }
  const query = (text: string, variables: object = {}) =>
    answer({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    });
  const upload = (text: string, variables: object, path: string, file: Uint8Array) => {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: text, variables }));
    form.set('map', JSON.stringify({ 0: [`variables.${path}`] }));
    form.set('0', new Blob([new Uint8Array(file)]), 'image');
    return answer({ headers: { 'apollo-require-preflight': 'true' }, body: form });
  };
  const editOf = ({ data, errors }: GraphqlAnswer) => {
    if (!data?.editImage) throw new Error(JSON.stringify(errors));
    return data.editImage;
  };
  return {
    query,
    async uploadImage(file) {
      const { data } = await upload(UPLOAD, { f: null }, 'f', file);
      return data.uploadImage.image.id;
    },
    edit: async (input) => editOf(await query(EDIT, { input })),
    async editUpload(file, input) {
      const variables = { input: { images: [{ file: null }], ...input } };
      return editOf(await upload(EDIT, variables, 'input.images.0.file', file));
    },
    async job(id) {
      return (await query(JOB, { id })).data.editJob;
    },
  };
}
