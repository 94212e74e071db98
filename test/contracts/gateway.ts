import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import type { Gateway } from '../support/federation.ts';
import { send } from '../support/http.ts';
import { filePart, formBody, MULTIPART_HEADERS } from '../support/multipart.ts';
import { mask, noisePng, png } from '../support/test-images.ts';

const EDIT = /* GraphQL */ `
  mutation ($input: EditImageInput!) {
    editImage(input: $input) {
      __typename
      ... on EditImagePayload {
        editJob {
          id
          status
          owner { id name }
          inputImages { id url sha256 bytes }
          mask { bytes }
        }
      }
      ... on Error { message }
      ... on InvalidInputError { field code }
    }
  }
`;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * What must hold through any gateway that joins the service with a `users` subgraph.
 * @param parts Started before the first test runs.
 */
export function gatewayContract(parts: () => { app: TestApp; gateway: Gateway }): void {
  async function upload(
    variables: object,
    files: Record<string, Uint8Array>,
    headers: Record<string, string> = { 'apollo-require-preflight': 'true' },
  ) {
    const entries = Object.entries(files);
    const body = formBody([
      { name: 'operations', content: JSON.stringify({ query: EDIT, variables }) },
      {
        name: 'map',
        content: JSON.stringify(
          Object.fromEntries(entries.map(([path], i) => [i, [`variables.${path}`]])),
        ),
      },
      ...entries.map(([, file], i) => filePart(String(i), file)),
    ]);
    const { 'content-type': type } = MULTIPART_HEADERS;
    const answer = await send(`${parts().gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type, 'content-length': body.length, ...headers },
      body,
    });
    return { status: answer.status, json: JSON.parse(answer.body.toString()) };
  }

  test('answers one query from both subgraphs, each with its own connections', async () => {
    const { gateway } = parts();
    const { id: job } = (await gateway.editUpload(await png(), { prompt: 'both' })).editJob;
    const { data, errors } = await gateway.query(/* GraphQL */ `
      {
        me { name editJobs(first: 1) { edges { node { id prompt { text } owner { name } } } } }
        users(first: 2) { edges { node { id name } } pageInfo { hasNextPage endCursor } }
        editJobs(first: 1) { edges { node { id owner { name } } } pageInfo { hasPreviousPage } }
      }
    `);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      me: {
        name: 'Ada',
        editJobs: {
          edges: [{ node: { id: job, prompt: { text: 'both' }, owner: { name: 'Ada' } } }],
        },
      },
      users: {
        edges: [
          { node: { id: 'local', name: 'Ada' } },
          { node: { id: 'somebody-else', name: 'Grace' } },
        ],
        pageInfo: { hasNextPage: true, endCursor: 'somebody-else' },
      },
      editJobs: {
        edges: [{ node: { id: job, owner: { name: 'Ada' } } }],
        pageInfo: { hasPreviousPage: false },
      },
    });
  });

  test('shows edits and usage of the viewer only, and leaves a list of users whole', async () => {
    const { gateway } = parts();
    await gateway.editUpload(await png(), { prompt: 'mine' });
    const { data, errors } = await gateway.query(/* GraphQL */ `
      {
        users(first: 3) {
          edges {
            node {
              name
              editJobs { totalCount }
              usage(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") { totals { edits } }
            }
          }
        }
      }
    `);
    expect(errors).toBeUndefined();
    const [ada, ...others] = data.users.edges.map(({ node }: { node: object }) => node);
    expect(ada.editJobs.totalCount).toBe(ada.usage.totals.edits);
    expect(ada.editJobs.totalCount).toBeGreaterThan(0);
    expect(others).toEqual([
      { name: 'Grace', editJobs: null, usage: null },
      { name: 'Alan', editJobs: null, usage: null },
    ]);
  });

  test('passes an image of 15 MB on, to the byte', async () => {
    const image = await noisePng(15_000_000);
    const input = { images: [{ file: null }], prompt: 'large' };
    const { json } = await upload({ input }, { 'input.images.0.file': image });
    expect(json.errors).toBeUndefined();
    const { status, owner, inputImages } = json.data.editImage.editJob;
    expect({ status, owner }).toEqual({
      status: 'SUCCEEDED',
      owner: { id: 'local', name: 'Ada' },
    });
    expect(inputImages).toMatchObject([{ sha256: sha256(image), bytes: 15_000_000 }]);
    const served = await send(inputImages[0].url);
    expect(sha256(served.body)).toBe(sha256(image));
  });

  test('passes several files on, each to its place, beside an image by id', async () => {
    const [first, second, third] = [await png(64, 48), await png(32, 32), await mask(64, 48)];
    const fourth = await png(20, 20);
    const id = await parts().gateway.uploadImage(fourth);
    const input = {
      images: [{ file: null }, { id }, { file: null }],
      mask: { file: null },
      prompt: 'several',
    };
    const { json } = await upload(
      { input },
      { 'input.images.0.file': first, 'input.images.2.file': second, 'input.mask.file': third },
    );
    expect(json.data.editImage.editJob).toMatchObject({
      status: 'SUCCEEDED',
      inputImages: [
        { sha256: sha256(first) },
        { sha256: sha256(fourth) },
        { sha256: sha256(second) },
      ],
      mask: { bytes: third.length },
    });
  });

  test('takes images past itself: POST /images, then their ids', async () => {
    const { app, gateway } = parts();
    const image = await noisePng(20_000_000);
    const stored = await send(`${app.url}/images`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: image,
    });
    const { id } = JSON.parse(stored.body.toString());
    const edit = await gateway.query(EDIT, { input: { images: [{ id }], prompt: 'by its id' } });
    expect(edit.data.editImage.editJob).toMatchObject({
      status: 'SUCCEEDED',
      inputImages: [{ id, sha256: sha256(image) }],
    });
  });

  test('shows typed errors as they are', async () => {
    const cases = [
      [{ images: [{ file: null }], prompt: 'p', n: 99 }, 'n', 'TOO_LARGE'],
      [{ images: [{ file: null }], prompt: 'p' }, 'images[0]', 'UNSUPPORTED_FORMAT'],
    ] as const;
    for (const [input, field, code] of cases) {
      const { json } = await upload({ input }, { 'input.images.0.file': Buffer.from('no image') });
      expect(json.data.editImage).toEqual({
        __typename: 'InvalidInputError',
        message: expect.stringContaining(field),
        field,
        code,
      });
    }
    const nothing = await parts().gateway.query(EDIT, { input: { images: [{}], prompt: 'p' } });
    expect(nothing.data.editImage).toMatchObject({ field: 'images[0]', code: 'REQUIRED' });
  });

  test('shows the code of a top-level error', async () => {
    const { errors } = await parts().gateway.query('{ editJobs(after: "x") { totalCount } }');
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('after'),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('takes no upload without a CSRF header, since it sends one on by itself', async () => {
    const { app } = parts();
    const edits = async () => (await app.query('{ editJobs { totalCount } }')).data.editJobs;
    const before = await edits();
    const input = { images: [{ file: null }], prompt: 'forged' };
    const { status } = await upload({ input }, { 'input.images.0.file': await png() }, {});
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(await edits()).toEqual(before);
  });
}
