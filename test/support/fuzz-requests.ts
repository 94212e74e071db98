import { createImageFuzz } from './fuzz-images.ts';
import { createOpenaiFuzz } from './fuzz-openai.ts';
import {
  chance,
  damage,
  type FuzzRequest,
  int,
  type Json,
  mutate,
  pick,
  randomBytes,
} from './fuzz-values.ts';
import { BOUNDARY, filePart, formBody } from './multipart.ts';
import { EDIT } from './operations.ts';
import { seededRandom } from './random.ts';

const FIELDS = 'id status prompt { text } inputImages { id } outputImages { id b64Json }';

/** Operations with variables that are right, for `image` and `job` as ids of what is there. */
const operations = (image: string, job: string): [query: string, variables: Json][] => [
  [
    EDIT,
    {
      input: {
        images: [{ id: image }],
        prompt: 'fuzz',
        wait: 0,
        n: 1,
        size: 'auto',
        extraParams: {},
        metadata: { a: 1 },
        idempotencyKey: null,
      },
    },
  ],
  ['query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [image, job] }],
  [
    `query ($id: ID!) { node(id: $id) { id } editJob(id: $id) { ${FIELDS} } image(id: $id) { id b64Json } lineage(id: $id) { nodes { id } edges { imageId } } }`,
    { id: job },
  ],
  [
    'query ($f: EditJobFilter, $s: String, $o: EditJobOrder, $first: Int, $last: Int, $after: String, $before: String) { editJobs(filter: $f, search: $s, orderBy: $o, first: $first, last: $last, after: $after, before: $before) { totalCount edges { cursor node { id } } } }',
    {
      f: {
        status: ['SUCCEEDED'],
        model: ['gpt-image-1'],
        size: ['auto'],
        quality: ['HIGH'],
        upstream: ['a'],
        sandbox: true,
        createdAt: { from: '2020-01-01T00:00:00Z', to: null },
        totalTokens: { min: 0, max: 10 },
        cost: { min: '0.1', max: '2' },
        errorCode: ['TIMEOUT'],
        hasError: false,
        metadata: { a: 1 },
        promptId: job,
        inputImageId: image,
      },
      s: 'a',
      o: { field: 'COST', direction: 'ASC' },
      first: 5,
      last: null,
      after: null,
      before: null,
    },
  ],
  [
    'query ($from: DateTime!, $to: DateTime!, $by: [UsageGroup!], $zone: String, $key: String, $first: Int) { usage(from: $from, to: $to, groupBy: $by, timeZone: $zone, metadataKey: $key, first: $first) { totals { edits } buckets { date } } }',
    {
      from: '2026-01-01T00:00:00Z',
      to: '2026-02-01T00:00:00Z',
      by: ['DAY', 'MODEL'],
      zone: 'Asia/Kolkata',
      key: null,
      first: 10,
    },
  ],
  [
    `mutation ($id: ID!, $key: String, $wait: Int) { cancelEdit(input: { id: $id }) { __typename } retryEdit(input: { id: $id, idempotencyKey: $key, wait: $wait }) { __typename ... on RetryEditPayload { editJob { ${FIELDS} } } } }`,
    { id: job, key: 'k', wait: 0 },
  ],
  ['subscription ($id: ID!) { editJob(id: $id) { __typename editJob { id } } }', { id: job }],
  [
    'subscription ($f: EditJobFilter) { editJobs(filter: $f) { __typename ... on EditJobUpdate { editJob { id } } } }',
    { f: { status: ['QUEUED'] } },
  ],
  [
    'query ($s: String, $first: Int) { prompts(search: $s, first: $first) { edges { node { text jobs(first: $first) { totalCount nodes { id } } } } } }',
    { s: 'f', first: 3 },
  ],
  [
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on EditJob { ${FIELDS} } ... on Image { bytes } ... on User { id } } }`,
    {
      r: [
        { __typename: 'EditJob', id: job },
        { __typename: 'User', id: 'local' },
      ],
    },
  ],
];

const UPLOAD_MANY =
  'mutation ($input: EditImageInput!, $file: Upload) { editImage(input: $input) { __typename ... on InvalidInputError { field message } } uploadImage(input: { file: $file }) { __typename } }';

const ACCEPT = [
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'multipart/mixed;subscriptionSpec=1.0, application/json',
  'text/html',
  '',
];

/** Requests that are wrong in a place or several, the same for the same seed. */
export async function createRequestFuzz(options: {
  seed: number;
  imageId: string;
  jobId: string;
}): Promise<() => FuzzRequest> {
  const { imageId, jobId } = options;
  const random = seededRandom(options.seed);
  const image = await createImageFuzz(random);
  const all = operations(imageId, jobId);

  function json(): FuzzRequest {
    const [query, variables] = pick(random, all);
    const params = { query, variables, operationName: null, extensions: null };
    const text = JSON.stringify(
      chance(random, 0.8)
        ? { ...params, variables: mutate(random, variables) }
        : mutate(random, params),
    );
    const bytes = Buffer.from(text);
    return request(bytes, 'application/json');
  }

  function multipart(): FuzzRequest {
    const variables: Json = {
      input: { images: [{ file: null }, { file: null }], mask: null, prompt: 'fuzz', wait: 0 },
      file: null,
    };
    const map: Json = {
      0: ['variables.input.images.0.file', 'variables.file'],
      1: ['variables.input.images.1.file'],
    };
    const parts = [
      {
        name: 'operations',
        content: JSON.stringify(mutate(random, { query: UPLOAD_MANY, variables }, 0.5)),
      },
      { name: 'map', content: JSON.stringify(mutate(random, map, 0.5)) },
      filePart('0', image()),
      filePart('1', chance(random, 0.8) ? image() : randomBytes(random, 2_000)),
    ];
    if (chance(random, 0.3)) parts.splice(int(random, parts.length), 1);
    if (chance(random, 0.3)) parts.splice(int(random, parts.length), 0, pick(random, parts));
    const body = chance(random, 0.4) ? damage(random, formBody(parts)) : formBody(parts);
    return request(
      body,
      `multipart/form-data; boundary=${chance(random, 0.95) ? BOUNDARY : 'other'}`,
    );
  }

  /** By the route for gateways without multipart. */
  function upload(): FuzzRequest {
    const type = pick(random, [
      'image/png',
      'image/jpeg',
      'image/webp',
      'application/octet-stream',
    ]);
    return request(image(), type, '/images');
  }

  function request(
    body: Uint8Array,
    type: string,
    path = chance(random, 0.3) ? '/graphql/subgraph' : '/graphql',
  ): FuzzRequest {
    return {
      path,
      headers: {
        'content-type': type,
        'apollo-require-preflight': 'true',
        accept: chance(random, 0.7) ? '*/*' : pick(random, ACCEPT),
      },
      body,
    };
  }

  const openai = createOpenaiFuzz({ random, image, imageId });
  return () => pick(random, [json, json, multipart, upload, openai])();
}
