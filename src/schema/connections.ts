import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import { type ListCount, MAX_COUNTED } from '../paging/count.ts';
import { encodeCursor } from '../paging/cursor.ts';
import type { Lists } from '../paging/lists.ts';
import type { Order } from '../paging/order.ts';
import type { Page, PageArgs } from '../paging/page-range.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import type { ListLoader } from './loaders.ts';
import type { NodeRowOf, NodeType } from './node-rows.ts';

// The one rule for counts: every connection has these fields.
builder.globalConnectionFields((t) => ({
  totalCount: t.int({
    nullable: true,
    description: `Number of all items that match, on all pages. Counted up to ${MAX_COUNTED.toLocaleString('en')}; null if there are more. Counted only if selected: without items, use \`first: 0\`.`,
    resolve: async ({ count }) => (await count()).exact,
  }),
  estimatedTotalCount: t.int({
    description: '`totalCount`, or an estimate from database statistics if `totalCount` is null.',
    resolve: async ({ count }) => (await count()).estimated,
  }),
}));

/**
 * A Relay connection. Nothing is read before a field that needs it. Nodes deleted in the meantime
 * are omitted.
 */
export function toConnection<Node extends { id: string }>(list: {
  order: Order<string>;
  page: () => Promise<Page>;
  nodes: (ids: string[]) => Promise<readonly Node[]>;
  count: () => Promise<ListCount>;
}) {
  const page = lazily(list.page);
  const cursorOf = (row: Page['rows'][number]) => encodeCursor(list.order, row);

  const edges = lazily(async () => {
    const { rows } = await page();
    const nodes = rows.length === 0 ? [] : await list.nodes(rows.map(({ id }) => id));
    const byId = new Map(nodes.map((node) => [node.id, node]));
    return rows.flatMap((row) => {
      const node = byId.get(row.id);
      return node === undefined ? [] : [{ cursor: cursorOf(row), node }];
    });
  });

  return {
    get edges() {
      return edges();
    },
    get pageInfo() {
      return page().then(({ rows: [first, ...rest], hasNextPage, hasPreviousPage }) => ({
        hasNextPage,
        hasPreviousPage,
        startCursor: first === undefined ? null : cursorOf(first),
        endCursor: first === undefined ? null : cursorOf(rest.at(-1) ?? first),
      }));
    },
    count: lazily(list.count),
  };
}

/** What the nodes of a connection need, for `edges` and `nodes` together. */
export function nodesQuery(typeName: NodeType, context: Context, info: GraphQLResolveInfo) {
  return queryFromInfo({ context, info, typeName, paths: [['edges', 'node'], ['nodes']] });
}

/** A connection of one of the lists of an object. @throws InvalidInputError for an invalid page. */
export function listConnection<Type extends NodeType>(
  type: Type,
  list: ListLoader,
  id: string,
  args: PageArgs,
  context: Context,
  info: GraphQLResolveInfo,
) {
  const range = list.range(args);
  const query = nodesQuery(type, context, info);
  return toConnection<NodeRowOf[Type] & { id: string }>({
    order: list.order,
    page: () => list.pages.load({ id, range }),
    async nodes(ids) {
      const rows = await context.loaders.nodeRows(type, query, ids);
      return rows.filter((row) => row !== null);
    },
    count: () => list.counts.load(id),
  });
}

/** A connection of one list, such as that of all owners. @throws InvalidInputError for an invalid page. */
export function listOf<Node extends { id: string }>(
  lists: Lists,
  of: string,
  args: PageArgs,
  nodes: (ids: string[]) => Promise<readonly Node[]>,
) {
  const range = lists.range(args);
  return toConnection<Node>({
    order: lists.order,
    page: async () => (await lists.pages([of], range))[0] ?? NO_PAGE,
    nodes,
    count: async () => (await lists.counts([of]))[0] ?? { exact: 0, estimated: 0 },
  });
}

const NO_PAGE: Page = { rows: [], hasNextPage: false, hasPreviousPage: false };

/** Runs `work` once, on the first call. */
function lazily<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
