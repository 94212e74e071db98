import DataLoader from 'dataloader';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, PrismaClient } from '../database/database.ts';
import type { Lineage } from '../edits/lineage/lineage.ts';
import type { Prompts } from '../edits/prompts/prompts.ts';
import type { ListCount } from '../paging/count.ts';
import type { Lists } from '../paging/lists.ts';
import type { Page, PageRange } from '../paging/page-range.ts';
import type { UsageSums } from '../usage/usage-sums.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { createNodeRows, type NodeRows } from './node-rows.ts';

interface PageKey {
  readonly id: string;
  readonly range: PageRange;
}

const NO_PAGE: Page = { rows: [], hasNextPage: false, hasPreviousPage: false };

/** Batched reads of one list of many objects: pages and counts are read only if loaded. */
export interface ListLoader extends Pick<Lists, 'order' | 'range'> {
  readonly pages: DataLoader<PageKey, Page>;
  readonly counts: DataLoader<string, ListCount>;
}

/** Batched reads for the objects of a list. */
export interface Loaders {
  readonly parents: ListLoader;
  readonly children: ListLoader;
  readonly retries: ListLoader;
  readonly producers: ListLoader;
  readonly users: ListLoader;
  readonly root: DataLoader<string, string>;
  readonly promptSums: DataLoader<string, UsageSums>;
  readonly promptJobs: ListLoader;
  readonly deliveries: ListLoader;
  readonly nodeRows: NodeRows;
  /** Edits with the fields that a selection needs. Deleted edits are omitted. */
  editJobs(query: object, ids: readonly string[]): Promise<Prisma.EditJobModel[]>;
}

/** One for each request; nothing is cached, since a subscription reads the same rows repeatedly. */
export function createLoaders(options: {
  prisma: PrismaClient;
  lineage: Lineage;
  prompts: Prompts;
  webhooks: Pick<Webhooks, 'deliveries'>;
  viewer: Viewer;
}): Loaders {
  const { prisma, lineage, prompts, webhooks, viewer } = options;
  const nodeRows = createNodeRows({ prisma, viewer });
  const related = lineage.lists(viewer);

  return {
    parents: lists(related.parents),
    children: lists(related.children),
    retries: lists(related.retries),
    producers: lists(related.producers),
    users: lists(related.users),
    root: single((ids) => lineage.roots(viewer, ids)),
    promptSums: single((ids) => prompts.sums(viewer, ids)),
    promptJobs: lists(prompts.jobs(viewer)),
    deliveries: lists(webhooks.deliveries(viewer)),
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

function lists({ order, range, pages, counts }: Lists): ListLoader {
  return {
    order,
    range,
    counts: single(counts),
    pages: new DataLoader((keys) => loadPages(keys, pages), { cache: false }),
  };
}

/** Fields with equal arguments have equal ranges, and share a statement. */
async function loadPages(keys: readonly PageKey[], pages: Lists['pages']): Promise<Page[]> {
  const batches = new Map<string, { range: PageRange; ids: Set<string> }>();
  const batchOf = ({ range, id }: PageKey) => {
    const key = JSON.stringify(range);
    const batch = batches.get(key) ?? { range, ids: new Set() };
    batch.ids.add(id);
    batches.set(key, batch);
    return batch;
  };
  const batched = keys.map((key) => ({ id: key.id, batch: batchOf(key) }));
  const loaded = new Map(
    await Promise.all(
      [...batches.values()].map(async (batch) => {
        const ids = [...batch.ids];
        const found = await pages(ids, batch.range);
        return [batch, new Map(ids.map((id, at) => [id, found[at]]))] as const;
      }),
    ),
  );
  return batched.map(({ id, batch }) => loaded.get(batch)?.get(id) ?? NO_PAGE);
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
