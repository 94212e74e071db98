import DataLoader from 'dataloader';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, PrismaClient } from '../database/database.ts';
import type { EditSums } from '../edits/edit-sums.ts';
import { inHistory } from '../edits/in-history.ts';
import type { Lineage, RelativeCounts } from '../edits/lineage/lineage.ts';
import type { Prompts } from '../edits/prompts/prompts.ts';

/** At most so many of a list, for one object. */
export interface ListKey {
  readonly id: string;
  readonly most: number;
}

type EditJobRow = Prisma.EditJobModel;

/** What the objects of a list ask for one by one, asked for together. */
export interface Loaders {
  readonly relativeCounts: DataLoader<string, RelativeCounts>;
  readonly parents: DataLoader<ListKey, string[]>;
  readonly children: DataLoader<ListKey, string[]>;
  readonly root: DataLoader<string, string>;
  readonly producers: DataLoader<ListKey, string[]>;
  readonly users: DataLoader<ListKey, string[]>;
  readonly promptSums: DataLoader<string, EditSums>;
  readonly promptJobs: DataLoader<ListKey, string[]>;
  /** Edits as a selection of fields needs them; those that are gone are left out. */
  editJobs(query: object, ids: readonly string[]): Promise<EditJobRow[]>;
}

/** One for each request; nothing is kept, since a subscription asks for the same again and again. */
export function createLoaders(options: {
  prisma: PrismaClient;
  lineage: Lineage;
  prompts: Prompts;
  viewer: Viewer;
}): Loaders {
  const { prisma, lineage, prompts, viewer } = options;
  const jobsBy = new Map<string, DataLoader<string, EditJobRow | null>>();

  function jobLoader(query: object): DataLoader<string, EditJobRow | null> {
    const key = JSON.stringify(query);
    const loader =
      jobsBy.get(key) ??
      single(async (ids: readonly string[]) => {
        const rows = await prisma.editJob.findMany({
          ...query,
          where: { id: { in: [...new Set(ids)] }, ...inHistory(viewer) },
        });
        const byId = new Map(rows.map((row) => [row.id, row]));
        return ids.map((id) => byId.get(id) ?? null);
      });
    jobsBy.set(key, loader);
    return loader;
  }

  return {
    relativeCounts: single(lineage.counts),
    parents: lists((ids, most) => lineage.relatives(ids, 'parents', most)),
    children: lists((ids, most) => lineage.relatives(ids, 'children', most)),
    root: single(lineage.roots),
    producers: lists((ids, most) => lineage.editsWith(ids, 'made', most)),
    users: lists((ids, most) => lineage.editsWith(ids, 'taken', most)),
    promptSums: single(prompts.sums),
    promptJobs: lists(prompts.jobs),
    async editJobs(query, ids) {
      const jobs = await jobLoader(query).loadMany(ids);
      return jobs.flatMap((job) => {
        if (job instanceof Error) throw job;
        return job ?? [];
      });
    },
  };
}

function single<Value>(
  load: (ids: readonly string[]) => Promise<Value[]>,
): DataLoader<string, Value> {
  return new DataLoader(load, { cache: false });
}

/** Those who want lists of the same length share a statement. */
function lists(
  load: (ids: readonly string[], most: number) => Promise<string[][]>,
): DataLoader<ListKey, string[]> {
  return new DataLoader(
    async (keys: readonly ListKey[]) => {
      const found = new Map<ListKey, string[]>();
      const groups = Map.groupBy(keys, ({ most }) => most);
      await Promise.all(
        [...groups].map(async ([most, group]) => {
          const all = await load(
            group.map(({ id }) => id),
            most,
          );
          for (const [at, key] of group.entries()) found.set(key, all[at] ?? []);
        }),
      );
      return keys.map((key) => found.get(key) ?? []);
    },
    { cache: false },
  );
}
