import { TERMS } from './prompts.ts';

/** One thing that people ask of the history; each call differs a little. */
export interface Operation {
  readonly name: string;
  /** Pages have a bar against the small database, the others one of their own. */
  readonly kind: 'page' | 'search' | 'usage' | 'tree';
  readonly query: string;
  variables(call: number, anchors: Anchors): object;
}

/** Where the database's own rows stand. */
export interface Anchors {
  /** A cursor of each order, half way down. */
  readonly deep: string;
  readonly deepByCost: string;
  /** An edit of a tree of 50. */
  readonly treeId: string;
}

export const PAGE = /* GraphQL */ `
  query Page($first: Int, $after: String, $last: Int, $filter: EditJobFilter, $search: String, $orderBy: EditJobOrder) {
    editJobs(first: $first, after: $after, last: $last, filter: $filter, search: $search, orderBy: $orderBy) {
      pageInfo { hasNextPage hasPreviousPage endCursor }
      edges {
        node {
          id status model createdAt durationMs metadata
          prompt { text }
          inputImages { id url } outputImages { id url thumbHash }
          usage { totalTokens } error { code }
          parents(first: 0) { totalCount } children(first: 0) { totalCount }
        }
      }
    }
  }
`;

const COUNT = /* GraphQL */ `
  query Count($filter: EditJobFilter, $search: String) {
    editJobs(first: 0, filter: $filter, search: $search) { totalCount estimatedTotalCount }
  }
`;

const PROMPTS = /* GraphQL */ `
  query Prompts($search: String, $orderBy: PromptOrder) {
    prompts(search: $search, orderBy: $orderBy) {
      edges { node { text uses lastUsedAt totals { totalTokens cost successRate } } }
    }
  }
`;

const LINEAGE = /* GraphQL */ `
  query Lineage($id: ID!) {
    lineage(id: $id) {
      nodes { id status prompt { text } outputImages { id url } }
      edges { parentId childId imageId }
      totals { edits totalTokens cost }
      truncated
    }
  }
`;

const USAGE = /* GraphQL */ `
  query Usage($from: DateTime!, $to: DateTime!) {
    usage(from: $from, to: $to, groupBy: [DAY, MODEL]) {
      totals { edits totalTokens }
      buckets { model totals { edits totalTokens } }
    }
  }
`;

const FIRST = { first: 20 };
const by = (field: string, direction: string) => ({ ...FIRST, orderBy: { field, direction } });
const page = (name: string, variables: Operation['variables']): Operation => ({
  name,
  kind: 'page',
  query: PAGE,
  variables,
});
const search = (name: string, term: string, more: object = {}): Operation => ({
  name: `search: ${name}`,
  kind: 'search',
  query: PAGE,
  variables: () => ({ ...FIRST, search: term, ...more }),
});
const SUCCEEDED = { filter: { status: ['SUCCEEDED'] } };
const OLDEST = { orderBy: { field: 'CREATED_AT', direction: 'ASC' } };
const DEAREST = { orderBy: { field: 'COST', direction: 'DESC' } };
const MODELS = ['gpt-image-1', 'gpt-image-1.5', 'gpt-image-1-mini', 'gpt-image-2'];

export const OPERATIONS: readonly Operation[] = [
  page('first page', () => FIRST),
  page('last page', () => ({ last: 20 })),
  page('page deep by cursor', (_, { deep }) => ({ ...FIRST, after: deep })),
  page('filtered: failed', () => ({ ...FIRST, filter: { status: ['FAILED'] } })),
  page('filtered: two statuses and a model', (call) => ({
    ...FIRST,
    filter: { status: ['FAILED', 'OUTCOME_UNKNOWN'], model: [MODELS[call % 4]] },
  })),
  page('filtered: a day half a year ago', (call) => ({
    ...FIRST,
    filter: {
      createdAt: {
        from: new Date(Date.UTC(2026, 3, 1 + (call % 28))),
        to: new Date(Date.UTC(2026, 3, 2 + (call % 28))),
      },
    },
  })),
  page('filtered: metadata', (call) => ({
    ...FIRST,
    filter: { metadata: { project: `p${call % 150}` } },
  })),
  page('filtered: tokens and cost', () => ({
    ...FIRST,
    filter: { totalTokens: { min: 9000 }, cost: { min: '0.195' } },
  })),
  page('by cost, dearest first', () => by('COST', 'DESC')),
  page('by cost, unknown first', () => by('COST', 'ASC')),
  page('by cost, deep by cursor', (_, { deepByCost }) => ({
    ...by('COST', 'DESC'),
    after: deepByCost,
  })),
  page('by tokens', () => by('TOTAL_TOKENS', 'DESC')),
  page('by duration', () => by('DURATION', 'DESC')),
  search('common', TERMS.common),
  search('rare', TERMS.rare),
  search('two Chinese characters, common', TERMS.chinese),
  search('two Chinese characters, rare', TERMS.rareChinese),
  search('one letter', TERMS.oneCharacter),
  search('one Chinese character', '秋'),
  search('only in old ones', TERMS.onlyOld),
  search('in all of the older half', TERMS.oldHalf),
  search('in none', TERMS.none),
  search('common, filtered', TERMS.common, SUCCEEDED),
  search('rare Chinese, filtered', TERMS.rareChinese, SUCCEEDED),
  search('common, oldest first', TERMS.common, OLDEST),
  search('common, dearest first', TERMS.common, DEAREST),
  search('only in old ones, dearest first', TERMS.onlyOld, DEAREST),
  {
    name: 'search: count of a common term',
    kind: 'search',
    query: COUNT,
    variables: () => ({ search: TERMS.common }),
  },
  { name: 'count of all', kind: 'tree', query: COUNT, variables: () => ({}) },
  { name: 'prompts', kind: 'page', query: PROMPTS, variables: () => ({}) },
  {
    name: 'search: prompts, common',
    kind: 'search',
    query: PROMPTS,
    variables: () => ({ search: TERMS.chinese }),
  },
  {
    name: 'search: prompts, only old ones',
    kind: 'search',
    query: PROMPTS,
    variables: () => ({ search: TERMS.onlyOld }),
  },
  {
    name: 'a month of usage by day and model',
    kind: 'usage',
    query: USAGE,
    variables: (call) => ({
      from: new Date(Date.UTC(2025, 11 + (call % 9), 1)),
      to: new Date(Date.UTC(2026, call % 9, 1)),
    }),
  },
  {
    name: 'lineage of 50',
    kind: 'tree',
    query: LINEAGE,
    variables: (_, { treeId }) => ({ id: treeId }),
  },
];
