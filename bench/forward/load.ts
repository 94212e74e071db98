import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { editUpload } from '../../test/support/edit-upload.ts';

/** `editImage` with all that a page shows of an edit. */
export const EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload {
        editJob { id status outputImages { id url width height } usage { totalTokens } error { message } }
      }
      ... on Error { message }
    }
  }
`;

/** Sends edits to the floor or the service: the same bytes to both. */
export interface Load {
  /** `edits` edits of `n` outputs, `concurrency` at once. Answers how long they took together. */
  run(url: string, options: { edits: number; concurrency: number; n: number }): Promise<number>;
  close(): void;
}

/** Every request sends `png` with a text of its own inside, so no two files are the same. */
export function createLoad({ png }: { png: Buffer }): Load {
  const agent = new Agent({ keepAlive: true });

  async function edit(url: string, n: number): Promise<void> {
    const upload = editUpload({ query: EDIT, input: { prompt: 'Make it brighter', n }, png });
    const { headers } = upload;
    const req = request(`${url}/graphql`, { method: 'POST', agent, headers });
    const answered = once(req, 'response');
    await Promise.all([answered, pipeline(Readable.from(upload.slices()), req)]);
    const [res] = await answered;
    assertEdited(await json(res), n);
  }

  return {
    async run(url, { edits, concurrency, n }) {
      const startedMs = performance.now();
      let left = edits;
      const sendInTurn = async () => {
        while (left-- > 0) await edit(url, n);
      };
      await Promise.all(Array.from({ length: concurrency }, sendInTurn));
      return performance.now() - startedMs;
    },
    close: () => agent.destroy(),
  };
}

/** What fails fast must not look fast. */
export function assertEdited(answer: unknown, n: number): void {
  const { data, outputs } = answer as {
    outputs?: unknown[];
    data?: { editImage?: { editJob?: { status: string; outputImages: unknown[] } } };
  };
  const job = data?.editImage?.editJob;
  const images = outputs ?? (job?.status === 'SUCCEEDED' ? job.outputImages : undefined);
  if (images?.length !== n) throw new Error(`not edited: ${JSON.stringify(answer)}`);
}
