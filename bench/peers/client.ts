import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type EditUpload, editUpload } from '../../test/support/edit-upload.ts';
import { formUpload } from './form-upload.ts';

const FIELDS = { prompt: 'Make it brighter', n: 1 };
/** What a PNG begins with, in base64. */
const PNG_START = 'iVBORw0KGgo';

const RETOUCH_EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload { editJob { status outputImages { b64Json } } }
      ... on Error { message }
    }
  }
`;
const PEER_EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) { editImage(input: $input) { outputImages { b64Json } } }
`;

/** How a target is asked for an edit. */
export interface Api {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  upload(png: Buffer): EditUpload;
  /** The output images, in base64. */
  outputs(response: unknown): readonly unknown[] | undefined;
}

interface Edited {
  readonly outputImages?: readonly { b64Json: string }[];
}

export const RETOUCH_API: Api = {
  path: '/graphql',
  upload: (png) => editUpload({ query: RETOUCH_EDIT, input: FIELDS, png }),
  outputs(response) {
    const { data } = response as { data?: { editImage?: { editJob?: Edited } } };
    return data?.editImage?.editJob?.outputImages?.map(({ b64Json }) => b64Json);
  },
};

export const GRAPHQL_API: Api = {
  path: '/graphql',
  upload: (png) => editUpload({ query: PEER_EDIT, input: FIELDS, png }),
  outputs(response) {
    const { data } = response as { data?: { editImage?: Edited } };
    return data?.editImage?.outputImages?.map(({ b64Json }) => b64Json);
  },
};

/** @param headers Beyond those of the form. */
export function openaiApi(path: string, headers: Readonly<Record<string, string>> = {}): Api {
  return {
    path,
    headers: { authorization: 'Bearer sk-bench', ...headers },
    upload: (png) => formUpload({ fields: { ...FIELDS, model: 'gpt-image-1' }, png }),
    outputs(response) {
      const { data } = response as { data?: { b64_json: string }[] };
      return data?.map(({ b64_json }) => b64_json);
    },
  };
}

export interface Client {
  /** `edits` edits, `concurrency` at once. Returns how long they took together, in ms. */
  run(
    target: { url: string; api: Api },
    load: { edits: number; concurrency: number },
  ): Promise<number>;
  close(): void;
}

/**
 * Sends the same bytes to all but for the fields of the form. Every response must have one PNG, of the
 * length of the very first: a fast failure is not fast.
 */
export function createClient({ png }: { png: Buffer }): Client {
  const agent = new Agent({ keepAlive: true });
  let expectedLength: number | null = null;

  async function edit({ url, api }: { url: string; api: Api }): Promise<void> {
    const upload = api.upload(png);
    const headers = { ...upload.headers, ...api.headers };
    const req = request(`${url}${api.path}`, { method: 'POST', agent, headers });
    const responded = once(req, 'response');
    await Promise.all([responded, pipeline(Readable.from(upload.slices()), req)]);
    const [res] = await responded;
    const response = await json(res);
    const outputs = api.outputs(response);
    const [output] = outputs ?? [];
    const isPng =
      outputs?.length === 1 && typeof output === 'string' && output.startsWith(PNG_START);
    if (isPng) expectedLength ??= output.length;
    if (!isPng || output.length !== expectedLength) {
      throw new Error(`not edited: ${res.statusCode} ${JSON.stringify(response).slice(0, 300)}`);
    }
  }

  return {
    async run(target, { edits, concurrency }) {
      const startedMs = performance.now();
      let left = edits;
      const sendInTurn = async () => {
        while (left-- > 0) await edit(target);
      };
      await Promise.all(Array.from({ length: concurrency }, sendInTurn));
      return performance.now() - startedMs;
    },
    close: () => agent.destroy(),
  };
}
