import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { editUpload } from '../support/edit-upload.ts';

const EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload { editJob { status inputImages { bytes url } error { message } } }
      ... on Error { message }
    }
  }
`;

export interface Outcome {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** An edit of so many images of its own. Sends until it is answered, and gives the rest up then. */
export async function sendEdit(url: string, png: Buffer, images: number): Promise<Outcome> {
  const upload = editUpload({ query: EDIT, input: { prompt: 'soak', wait: 600 }, png, images });
  const { headers } = upload;
  const req = request(`${url}/graphql`, { method: 'POST', agent: false, headers });
  const answered = once(req, 'response');
  const sending = pipeline(Readable.from(upload.slices()), req).catch(() => undefined);
  const [res] = await answered;
  const body = await json(res);
  req.destroy();
  await sending;
  return { status: res.statusCode, retryAfter: res.headers['retry-after'], body };
}
