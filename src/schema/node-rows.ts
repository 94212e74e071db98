import DataLoader from 'dataloader';
import type { Viewer } from '../auth/viewer.ts';
import { visibleTo } from '../auth/visible.ts';
import type { Prisma, PrismaClient } from '../database/database.ts';
import { inHistory } from '../edits/history/in-history.ts';

/** The rows of each type that has a global id. */
export interface NodeRowOf {
  readonly ApiKey: Prisma.ApiKeyModel;
  readonly EditJob: Prisma.EditJobModel;
  readonly Image: Prisma.ImageModel;
  readonly Prompt: Prisma.PromptModel;
  readonly WebhookDelivery: Prisma.WebhookDeliveryModel;
  readonly WebhookEndpoint: Prisma.WebhookEndpointModel;
}

export type NodeType = keyof NodeRowOf;

/**
 * Rows by id with the fields that a selection needs (Pothos's `query`), in the order of the ids; null
 * for rows that do not exist or belong to another owner. Lookups with the same selection in one turn of
 * the event loop are batched into one statement without duplicates.
 */
export type NodeRows = <Type extends NodeType>(
  type: Type,
  query: object,
  ids: readonly string[],
) => Promise<(NodeRowOf[Type] | null)[]>;

type FindMany<Row> = (
  prisma: PrismaClient,
  viewer: Viewer,
  query: object,
  ids: string[],
) => PromiseLike<Row[]>;

const FIND_MANY: { readonly [Type in NodeType]: FindMany<NodeRowOf[Type]> } = {
  ApiKey: (prisma, viewer, query, ids) =>
    prisma.apiKey.findMany({ ...query, where: { id: { in: ids }, ...visibleTo(viewer) } }),
  EditJob: (prisma, viewer, query, ids) =>
    prisma.editJob.findMany({ ...query, where: { id: { in: ids }, ...inHistory(viewer) } }),
  Image: (prisma, viewer, query, ids) =>
    prisma.image.findMany({ ...query, where: { id: { in: ids }, ...visibleTo(viewer) } }),
  Prompt: (prisma, viewer, query, ids) =>
    prisma.prompt.findMany({ ...query, where: { id: { in: ids }, ...visibleTo(viewer) } }),
  WebhookDelivery: (prisma, viewer, query, ids) =>
    prisma.webhookDelivery.findMany({
      ...query,
      where: { id: { in: ids }, ...visibleTo(viewer) },
    }),
  WebhookEndpoint: (prisma, viewer, query, ids) =>
    prisma.webhookEndpoint.findMany({ ...query, where: { id: { in: ids }, ...visibleTo(viewer) } }),
};

export function isNodeType(typename: string): typename is NodeType {
  return Object.hasOwn(FIND_MANY, typename);
}

/** One for each request; nothing is cached, since a subscription reads the same rows repeatedly. */
export function createNodeRows(options: { prisma: PrismaClient; viewer: Viewer }): NodeRows {
  const { prisma, viewer } = options;
  const loaders = new Map<string, unknown>();

  return async <Type extends NodeType>(type: Type, query: object, ids: readonly string[]) => {
    type Row = NodeRowOf[Type];
    const key = `${type} ${JSON.stringify(query)}`;
    const loader =
      (loaders.get(key) as DataLoader<string, Row | null> | undefined) ??
      new DataLoader<string, Row | null>(
        async (wanted) => {
          const rows = await FIND_MANY[type](prisma, viewer, query, [...new Set(wanted)]);
          const byId = new Map(rows.map((row) => [row.id, row]));
          return wanted.map((id) => byId.get(id) ?? null);
        },
        { cache: false },
      );
    loaders.set(key, loader);
    return Promise.all(ids.map((id) => loader.load(id)));
  };
}
