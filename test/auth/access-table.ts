import type { RouteName } from '../../src/http/route-table.ts';

/**
 * What each operation shows or changes of somebody else's. A field of the schema without a row here
 * fails access-matrix.db.test.ts.
 */

/** Global ids of an owner's objects. */
export interface Ids {
  readonly ownerId: string;
  readonly job: string;
  readonly image: string;
  /** An image that an edit made. */
  readonly output: string;
  readonly prompt: string;
  readonly webhook: string;
  readonly delivery: string;
  readonly apiKey: string;
}

/**
 * OWN: only rows of the viewer, whatever the arguments. SHARED: the same for every viewer, nothing of
 * any owner. ADMIN: rejected for all others.
 */
export type Access = 'OWN' | 'SHARED' | 'ADMIN';

export interface Row {
  readonly access: Access;
  /** Arguments that ask for the objects of an owner, each a call of its own. */
  readonly calls: (ids: Ids) => readonly string[];
}

const own = (...calls: readonly (string | ((ids: Ids) => string))[]): Row => ({
  access: 'OWN',
  calls: (ids) => calls.map((call) => (typeof call === 'string' ? call : call(ids))),
});
const shared = (...calls: readonly string[]): Row => ({ access: 'SHARED', calls: () => calls });
const admin = (...calls: readonly (string | ((ids: Ids) => string))[]): Row => ({
  ...own(...calls),
  access: 'ADMIN',
});
const input = (fields: (ids: Ids) => string) => (ids: Ids) => `(input: { ${fields(ids)} })`;
const byId = (name: keyof Ids) => (ids: Ids) => `(id: "${ids[name]}")`;

const NODES = ['job', 'image', 'prompt', 'webhook', 'delivery', 'apiKey'] as const;
const PERIOD = 'from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"';

export const QUERIES: Readonly<Record<string, Row>> = {
  node: own(...NODES.map(byId)),
  nodes: own((ids) => `(ids: [${NODES.map((name) => `"${ids[name]}"`).join()}])`),
  viewer: own(''),
  editJob: own(byId('job')),
  image: own(byId('image')),
  lineage: own(byId('job')),
  editJobs: own(
    '',
    '(search: "hat")',
    '(filter: { metadata: { project: "x" } })',
    '(orderBy: { field: COST, direction: DESC })',
    ({ image }) => `(filter: { inputImageId: "${image}" })`,
    ({ output }) => `(filter: { outputImageId: "${output}" })`,
  ),
  prompts: own('', '(search: "hat")'),
  usage: own(
    `(${PERIOD}, groupBy: [PROMPT])`,
    `(${PERIOD}, groupBy: [METADATA], metadataKey: "project")`,
  ),
  webhooks: own(''),
  apiKeys: own('', ({ ownerId }) => `(ownerId: "${ownerId}")`),
  limits: own('', ({ ownerId }) => `(ownerId: "${ownerId}")`),
  estimateEdit: own(({ image }) => `(input: { images: [{ id: "${image}" }], prompt: "a hat" })`),
  models: shared(''),
  upstreams: shared(''),
  owners: admin(''),
  auditEvents: admin('', ({ ownerId }) => `(ownerId: "${ownerId}")`),
};

export const MUTATIONS: Readonly<Record<string, Row>> = {
  editImage: own(input(({ image }) => `images: [{ id: "${image}" }], prompt: "a hat", wait: 0`)),
  retryEdit: own(input(({ job }) => `id: "${job}", wait: 0`)),
  rereadAnswer: own(input(({ job }) => `id: "${job}"`)),
  cancelEdit: own(input(({ job }) => `id: "${job}"`)),
  deleteEdit: own(input(({ job }) => `id: "${job}"`)),
  deleteWebhook: own(input(({ webhook }) => `id: "${webhook}"`)),
  enableWebhook: own(input(({ webhook }) => `id: "${webhook}"`)),
  rotateWebhookSecret: own(input(({ webhook }) => `id: "${webhook}"`)),
  redeliverWebhook: own(input(({ delivery }) => `id: "${delivery}"`)),
  createApiKey: own(input(({ ownerId }) => `ownerId: "${ownerId}", name: "mine", scopes: [READ]`)),
  rotateApiKey: own(input(({ apiKey }) => `id: "${apiKey}"`)),
  revokeApiKey: own(input(({ apiKey }) => `id: "${apiKey}"`)),
  // They name no object, but may name whom they act for.
  uploadImage: own(),
  createWebhook: own(),
  setLimit: admin(
    input(
      ({ ownerId }) =>
        `subject: { ownerId: "${ownerId}" }, measure: COST, window: DAY, amount: "1"`,
    ),
    input(({ apiKey }) => `subject: { apiKeyId: "${apiKey}" }, measure: REQUESTS, amount: "1"`),
  ),
  resolveOutcome: admin(input(({ job }) => `id: "${job}", paid: false`)),
  repriceJobs: admin(input(() => '')),
  resumeUpstream: admin(input(() => 'name: "default"')),
  updateOwner: admin(input(({ ownerId }) => `id: "${ownerId}", disabled: true`)),
};

export const SUBSCRIPTIONS: Readonly<Record<string, Row>> = {
  editJob: own(byId('job')),
  editJobs: own(''),
};

/** Mutations that an admin may run for an owner, with an input that is good otherwise. */
export const ACTING_FOR: Readonly<Record<string, string>> = {
  editImage: 'images: [], prompt: "a hat"',
  retryEdit: 'id: "x"',
  rereadAnswer: 'id: "x"',
  cancelEdit: 'id: "x"',
  deleteEdit: 'id: "x"',
  createWebhook: 'url: "https://example.com/", events: [EDIT_SUCCEEDED]',
  deleteWebhook: 'id: "x"',
  enableWebhook: 'id: "x"',
  rotateWebhookSecret: 'id: "x"',
  redeliverWebhook: 'id: "x"',
};

/**
 * The paths, each with the rows of the route table that it is of. `of` asks for an owner's object;
 * `isRead` is what a key that may only read may do.
 */
export const PATHS: Readonly<
  Record<
    RouteName,
    {
      readonly method: string;
      readonly of: (ids: Ids) => string;
      readonly isRead?: true;
      /** Of a read, besides 200 and 400. */
      readonly status?: number;
    }
  >
> = {
  page: { method: 'GET', of: () => '/graphql' },
  asset: { method: 'GET', of: () => '/graphiql/assets/none.js' },
  root: { method: 'GET', of: () => '/' },
  graphql: { method: 'POST', of: () => '/graphql', isRead: true },
  subgraph: { method: 'POST', of: () => '/graphql/subgraph', isRead: true },
  schema: { method: 'GET', of: () => '/schema.graphql', isRead: true },
  upload: { method: 'POST', of: () => '/images' },
  image: { method: 'GET', of: ({ image }) => `/images/${image}`, isRead: true },
  exportEdits: { method: 'GET', of: () => '/export/edits', isRead: true },
  openaiEdits: { method: 'POST', of: () => '/v1/images/edits' },
  azureEdits: { method: 'POST', of: () => '/openai/deployments/gpt-image-1/images/edits' },
  openaiModels: { method: 'GET', of: () => '/v1/models', isRead: true },
  openaiModel: { method: 'GET', of: () => '/v1/models/gpt-image-1', isRead: true },
  openaiOther: { method: 'GET', of: () => '/v1/files', isRead: true, status: 404 },
};
