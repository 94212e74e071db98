import DataLoader from 'dataloader';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, PrismaClient } from '../database/database.ts';
import type { Lineage, RelativeCounts } from '../edits/lineage/lineage.ts';
import type { Prompts } from '../edits/prompts/prompts.ts';
import type { UsageSums } from '../usage/usage-sums.ts';
import { createNodeRows, type NodeRows } from './node-rows.ts';

/** A list of one object, with its maximum length. */
export interface ListKey {
  readonly id: string;
  readonly most: number;
}

/** Batched reads for the objects of a list. */
export interface Loaders {
  readonly relativeCounts: DataLoader<string, RelativeCounts>;
  readonly parents: DataLoader<ListKey, string[]>;
  readonly children: DataLoader<ListKey, string[]>;
  readonly root: DataLoader<string, string>;
  readonly producers: DataLoader<ListKey, string[]>;
  readonly users: DataLoader<ListKey, string[]>;
  readonly promptSums: DataLoader<string, UsageSums>;
  readonly promptJobs: DataLoader<ListKey, string[]>;
  readonly nodeRows: NodeRows;
  /** Edits with the fields that a selection needs. Deleted edits are omitted. */
  editJobs(query: object, ids: readonly string[]): Promise<Prisma.EditJobModel[]>;
}

/** One for each request; nothing is cached, since a subscription reads the same rows repeatedly. */
export function createLoaders(options: {
  prisma: PrismaClient;
  lineage: Lineage;
  prompts: Prompts;
  viewer: Viewer;
}): Loaders {
  const { prisma, lineage, prompts, viewer } = options;
  const nodeRows = createNodeRows({ prisma, viewer });

  return {
    relativeCounts: single((ids) => lineage.counts(viewer, ids)),
    parents: lists((ids, most) => lineage.relatives(viewer, ids, 'parents', most)),
    children: lists((ids, most) => lineage.relatives(viewer, ids, 'children', most)),
    root: single((ids) => lineage.roots(viewer, ids)),
    producers: lists((ids, most) => lineage.editsWith(viewer, ids, 'made', most)),
    users: lists((ids, most) => lineage.editsWith(viewer, ids, 'taken', most)),
    promptSums: single((ids) => prompts.sums(viewer, ids)),
    promptJobs: lists((ids, most) => prompts.jobs(viewer, ids, most)),
    nodeRows,
    async editJobs(query, ids) {
      const jobs = await nodeRows('EditJob', query, ids);
      return jobs.flatMap((job) => job ?? []);
    },
  };
}

function single<Value>(
  load: (ids: readonly string[]) => Promise<Value[]>,
): DataLoader<string, Value> {
  return new DataLoader(onceEach(load), { cache: false });
}

function lists(
  load: (ids: readonly string[], most: number) => Promise<string[][]>,
): DataLoader<ListKey, string[]> {
  return new DataLoader(
    async (keys: readonly ListKey[]) => {
      const found = new Map<ListKey, string[]>();
      const groups = Map.groupBy(keys, ({ most }) => most);
      await Promise.all(
        [...groups].map(async ([most, group]) => {
          const all = await onceEach((ids) => load(ids, most))(group.map(({ id }) => id));
          for (const [at, key] of group.entries()) found.set(key, all[at] ?? []);
        }),
      );
      return keys.map((key) => found.get(key) ?? []);
    },
    { cache: false },
  );
}

/** The same for a list with duplicate ids: one object may appear in several places. */
function onceEach<Value>(
  load: (ids: readonly string[]) => Promise<Value[]>,
): (ids: readonly string[]) => Promise<Value[]> {
  return async (ids) => {
    const distinct = [...new Set(ids)];
    const values = await load(distinct);
    const byId = new Map(distinct.map((id, at) => [id, at]));
    return ids.map((id) => values[byId.get(id) ?? 0] as Value);
  };
}
