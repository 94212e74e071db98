import type { GraphqlAnswer } from './app.ts';
import { EDIT } from './operations.ts';

/** What the tests of whole processes ask of a service. All rejections mean: not acknowledged. */
export interface GraphqlClient {
  query(query: string, variables?: object): Promise<GraphqlAnswer>;
  uploadImage(file: Uint8Array): Promise<string>;
  /** Answers `data.editImage`, or throws what stands in `errors`. */
  edit(input: object): Promise<ReturnType<typeof JSON.parse>>;
  job(id: string): Promise<ReturnType<typeof JSON.parse>>;
}

const JOB = EDIT.replace(
  /^[\s\S]*?(?=fragment)/,
  'query($id: ID!) { editJob(id: $id) { ...Job } }',
);
const UPLOAD =
  'mutation($f: Upload!) { uploadImage(file: $f) { ... on UploadImagePayload { image { id } } } }';

/** @param url of the service; a function when it moves. */
export function createGraphqlClient(url: () => string): GraphqlClient {
  async function answer(init: RequestInit): Promise<GraphqlAnswer> {
    const response = await fetch(`${url()}/graphql`, { method: 'POST', ...init });
    return { ...(await response.json()), httpStatus: response.status };
  }
  const query = (text: string, variables: object = {}) =>
    answer({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    });
  return {
    query,
    async uploadImage(file) {
      const form = new FormData();
      form.set('operations', JSON.stringify({ query: UPLOAD, variables: { f: null } }));
      form.set('map', JSON.stringify({ 0: ['variables.f'] }));
      form.set('0', new Blob([new Uint8Array(file)]), 'picture');
      const { data } = await answer({
        headers: { 'apollo-require-preflight': 'true' },
        body: form,
      });
      return data.uploadImage.image.id;
    },
    async edit(input) {
      const { data, errors } = await query(EDIT, { input });
      if (!data?.editImage) throw new Error(JSON.stringify(errors));
      return data.editImage;
    },
    async job(id) {
      return (await query(JOB, { id })).data.editJob;
    },
  };
}
