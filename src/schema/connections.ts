import { encodeCursor } from '../paging/cursor.ts';
import type { Order } from '../paging/order.ts';
import type { Page } from '../paging/page-range.ts';

/** A Relay connection from a page of ids and their nodes. Nodes deleted in the meantime are omitted. */
export function toConnection<Node extends { id: string }>(
  { rows, hasNextPage, hasPreviousPage }: Page,
  order: Order<string>,
  nodes: readonly Node[],
) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = rows.flatMap((row) => {
    const node = byId.get(row.id);
    return node === undefined ? [] : [{ cursor: encodeCursor(order, row), node }];
  });
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** Runs `work` once, on the first call. */
export function lazily<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
