import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import { GraphQLUpload } from 'graphql-upload-minimal';
import { createSchema, createYoga } from 'graphql-yoga';
import { InvalidInputError } from '../../src/errors.ts';
import type { UploadLimits } from '../../src/http/graphql/uploads.ts';
import { useUploads } from '../../src/http/graphql/uploads.ts';
import type { FileUpload } from '../../src/images/receive/receive-image.ts';
import { receiveUploads } from '../../src/images/receive/receive-image.ts';
import { send, serve } from './http.ts';
import type { FormPart } from './multipart.ts';
import { formBody, MULTIPART_HEADERS, uploadBody } from './multipart.ts';
import { temporaryStorage } from './storage.ts';

export const RECEIVE =
  'mutation ($files: [Upload!]!) { receive(files: $files) { bytes error { field code message } } }';

const typeDefs = /* GraphQL */ `
  scalar Upload
  type Query { hello: String }
  type Mutation {
    receive(files: [Upload!]!): Received
    ignore(files: [Upload!]!): Boolean
  }
  type Received { bytes: [Int!] error: InputError }
  type InputError { field: String code: String message: String }
`;

/** A small GraphQL server with uploads, over real HTTP, as the service has them. */
export async function uploadServer(limits: Partial<UploadLimits> = {}) {
  const { staging, stagedFiles } = await temporaryStorage();
  const maxFileBytes = limits.maxFileBytes ?? 1_000_000;

  async function receive(_: unknown, { files }: { files: PromiseLike<FileUpload>[] }) {
    const uploads = files.map((upload, i) => ({
      upload,
      field: `files[${i}]`,
      maxBytes: maxFileBytes,
    }));
    try {
      const received = await receiveUploads({ staging, uploads, maxPixels: 10_000_000 });
      return { bytes: received.map(({ staged }) => staged.bytes) };
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      // Not the error itself, which GraphQL would take for a field that failed.
      const { field, code, message } = error;
      return { error: { field, code, message } };
    }
  }

  const yoga = createYoga({
    schema: createSchema({
      typeDefs,
      resolvers: {
        Upload: GraphQLUpload,
        Query: { hello: () => 'world' },
        Mutation: { receive, ignore: () => true },
      },
    }),
    multipart: false,
    maxRequestBodySize: false,
    logging: false,
    plugins: [useCSRFPrevention(), useUploads({ ...limits, maxFileBytes })],
  });
  const handled: Promise<void>[] = [];
  const { url, port } = await serve((req, res) => {
    handled.push(Promise.resolve(yoga(req, res)));
  });

  return {
    url: `${url}/graphql`,
    port,
    stagedFiles,
    /** Until every request that came so far is done with, on this side. */
    settled: () => Promise.all(handled),
    requests: () => handled.length,
    /** One multipart request; its status and its JSON. */
    async post(body: Buffer | readonly FormPart[], headers: Record<string, string> = {}) {
      const bytes = Buffer.isBuffer(body) ? body : formBody(body);
      const answer = await send(`${url}/graphql`, {
        method: 'POST',
        headers: { ...MULTIPART_HEADERS, 'content-length': bytes.length, ...headers },
        body: bytes,
      });
      return { status: answer.status, json: JSON.parse(answer.body.toString()) };
    },
    async upload(files: readonly Uint8Array[], order?: number[]) {
      const { json } = await this.post(uploadBody(RECEIVE, files, order));
      return json.data.receive;
    },
  };
}
