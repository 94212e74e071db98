import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';

const EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload {
        editJob { id status outputImages { id url width height } usage { totalTokens } error { message } }
      }
      ... on Error { message }
    }
  }
`;

const SLICE_BYTES = 256 * 1024;
const SIGNATURE_AND_HEADER_BYTES = 8 + 25;
const BOUNDARY = 'the-boundary-of-the-benchmark';

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
    const body = layOut(png, n);
    const req = request(`${url}/graphql`, {
      method: 'POST',
      agent,
      headers: {
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        'content-length': body.reduce((sum, { length }) => sum + length, 0),
        'apollo-require-preflight': 'true',
      },
    });
    const answered = once(req, 'response');
    await Promise.all([answered, pipeline(Readable.from(slices(body)), req)]);
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

/** The pieces of the body; the picture is never copied. */
function layOut(png: Buffer, n: number): Buffer[] {
  const variables = { input: { images: [{ file: null }], prompt: 'Make it brighter', n } };
  const head =
    `${field('operations', JSON.stringify({ query: EDIT, variables }))}` +
    `${field('map', JSON.stringify({ 0: ['variables.input.images.0.file'] }))}` +
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="a.png"\r\n` +
    'Content-Type: image/png\r\n\r\n';
  return [
    Buffer.from(head),
    png.subarray(0, SIGNATURE_AND_HEADER_BYTES),
    textChunk(`Comment\0${randomBytes(16).toString('hex')}`),
    png.subarray(SIGNATURE_AND_HEADER_BYTES),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ];
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** A tEXt chunk of a PNG file (PNG, third edition, 11.3.3.2). */
function textChunk(text: string): Buffer {
  const body = Buffer.from(`tEXt${text}`, 'latin1');
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

function* slices(pieces: readonly Buffer[]): Generator<Buffer> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      yield piece.subarray(at, at + SLICE_BYTES);
    }
  }
}

/** What fails fast must not look fast. */
function assertEdited(answer: unknown, n: number): void {
  const { data, outputs } = answer as {
    outputs?: unknown[];
    data?: { editImage?: { editJob?: { status: string; outputImages: unknown[] } } };
  };
  const job = data?.editImage?.editJob;
  const pictures = outputs ?? (job?.status === 'SUCCEEDED' ? job.outputImages : undefined);
  if (pictures?.length !== n) throw new Error(`not edited: ${JSON.stringify(answer)}`);
}
