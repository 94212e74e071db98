/** One request, as a client sends it. */
export interface SentRequest {
  readonly what: string;
  /** What must come back: 400, 200, or 200 with errors beside the data. */
  readonly returns: '400' | '200' | '200 with errors';
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

/** What the requests name. */
export interface Stored {
  readonly edits: readonly string[];
  readonly images: readonly string[];
}

const EDIT = `id status model size n createdAt startedAt finishedAt durationMs metadata
  prompt { text } owner { id } usage { totalTokens inputTokens outputTokens } cost { amount }
  error { code message } attempts { number state } inputImages { id url } outputImages { id url }`;

const repeat = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join('\n');

/** The largest that the limits allow, and some that they reject. */
export function requests({ edits, images }: Stored): SentRequest[] {
  const hundred = Array.from({ length: 100 }, (_, index) => edits[index % edits.length] ?? '');
  const nodes = `query($ids: [ID!]!) { nodes(ids: $ids) { ... on EditJob { ${EDIT} } } }`;
  const filter = 'query($filter: EditJobFilter) { editJobs(filter: $filter) { totalCount } }';
  return [
    { what: '`nodes` with 100 ids', returns: '200', query: nodes, variables: { ids: hundred } },
    {
      what: '`nodes` with 10,000 ids',
      returns: '400',
      query: nodes,
      variables: { ids: Array.from({ length: 100 }, () => hundred).flat() },
    },
    {
      what: '2 pages of 100 edits',
      returns: '200',
      query: `{ ${repeat(2, (index) => `p${index}: editJobs(first: 100) { totalCount edges { node { ${EDIT} } } }`)} }`,
    },
    {
      what: '60 searched pages, counted',
      returns: '200',
      query: `{ ${repeat(60, (index) => `p${index}: editJobs(first: 1, search: "bench ${index}") { totalCount edges { node { id } } }`)} }`,
    },
    {
      what: '150,000 wrong enum values',
      returns: '400',
      query: filter,
      variables: { filter: { status: Array.from({ length: 150_000 }, () => 'NO') } },
    },
    {
      what: '100,000 unknown input fields',
      returns: '400',
      query: filter,
      variables: {
        filter: Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 1])),
      },
    },
    {
      what: '3,000 brackets inside each other',
      returns: '400',
      query: `{ editJobs(filter: { metadata: ${'['.repeat(3_000)}${']'.repeat(3_000)} }) { totalCount } }`,
    },
    {
      what: '100 aliases of the bytes of one large image',
      returns: '200 with errors',
      query: `query($id: ID!) { ${repeat(100, (index) => `i${index}: image(id: $id) { b64Json }`)} }`,
      variables: { id: images[0] ?? '' },
    },
  ];
}

/** The bytes of one image of 25 MB. */
export function largestInline({ images }: Stored): SentRequest {
  return {
    what: '`b64Json` of an image of 25 MB',
    returns: '200',
    query: 'query($id: ID!) { image(id: $id) { b64Json } }',
    variables: { id: images[0] ?? '' },
  };
}
