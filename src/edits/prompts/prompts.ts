import { z } from 'zod';
import type { Viewer } from '../../auth/viewer.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { checkAll } from '../../errors.ts';
import { type ListCount, MAX_COUNTED, plannedRows, toCount } from '../../paging/count.ts';
import type { Position } from '../../paging/keyset.ts';
import { createLists, type ListSource, type Lists } from '../../paging/lists.ts';
import type { Order } from '../../paging/order.ts';
import { type Page, type PageArgs, pageRange, toPage, toReading } from '../../paging/page-range.ts';
import {
  NO_EDITS,
  SUMS_OF_EDITS,
  SUMS_OF_SUMS,
  type UsageSums,
  usageSumsSchema,
} from '../../usage/usage-sums.ts';
import { NEWEST_FIRST } from '../history/history-query.ts';
import { isInHistory, SORT_COLUMNS } from '../history/history-sql.ts';
import { checkSearch, findPrompts, searchTerm } from '../history/prompt-search.ts';
import {
  countPrompts,
  PROMPT_COLUMNS,
  type PromptOrderField,
  type PromptReading,
  readFoundPrompts,
  readPrompts,
  readWalkingPrompts,
  selectPrompts,
} from './prompts-sql.ts';

export interface PromptsQuery {
  readonly search?: string | null | undefined;
  readonly order: Order<PromptOrderField>;
}

/** A viewer's prompts, each text once, and what became of their edits. */
export interface Prompts {
  /** @throws InvalidInputError for a page, a cursor or a search that cannot be. */
  page(viewer: Viewer, query: PromptsQuery, args: PageArgs): Promise<Page>;
  count(viewer: Viewer, query: Pick<PromptsQuery, 'search'>): Promise<ListCount>;
  /** Over the edits of each prompt, by one statement; in the order of the ids. */
  sums(viewer: Viewer, ids: readonly string[]): Promise<UsageSums[]>;
  /** The edits of each prompt, newest first. */
  jobs(viewer: Viewer): Lists;
}

const jobsOf = (viewer: Viewer): ListSource => ({
  order: NEWEST_FIRST,
  column: SORT_COLUMNS.CREATED_AT,
  id: Prisma.sql`job.id`,
  hasDuplicates: false,
  rows: (of) => Prisma.sql`"EditJob" AS job
    WHERE job."promptId" = ${of} AND ${isInHistory(viewer)}`,
});

const countSchema = z.tuple([z.object({ count: z.number() })]);
const sumsSchema = z.array(usageSumsSchema.extend({ promptId: z.string() }));

export function createPrompts({ prisma }: { prisma: PrismaClient }): Prompts {
  async function read(viewer: Viewer, reading: PromptReading, search: PromptsQuery['search']) {
    const term = searchTerm(viewer, search);
    if (term === null) return prisma.$queryRaw<Position[]>(readPrompts(reading));
    const near = await prisma.$queryRaw<Position[]>(readWalkingPrompts(reading, term));
    if (near.length >= reading.limit) return near;
    const found = await findPrompts(prisma, term);
    return prisma.$queryRaw<Position[]>(readFoundPrompts(reading, found));
  }

  return {
    jobs: (viewer) => createLists({ prisma, source: jobsOf(viewer) }),

    // Async, so that an invalid search rejects.
    async count(viewer, { search }) {
      const term = searchTerm(viewer, search);
      const found = term === null ? null : await findPrompts(prisma, term);
      const [{ count }] = countSchema.parse(
        await prisma.$queryRaw(countPrompts(viewer, found, MAX_COUNTED + 1)),
      );
      return toCount(count, () => plannedRows(prisma, selectPrompts(viewer, found)));
    },

    async page(viewer, { search, order }, args) {
      const column = PROMPT_COLUMNS[order.field];
      const { range } = checkAll({
        search: () => checkSearch(search),
        range: () => pageRange(args, order, column),
      });
      const reading = { viewer, column, ...toReading(range, order) };
      const rows = await read(viewer, reading, search);
      return toPage(range, rows);
    },

    async sums(viewer, ids) {
      const rows = sumsSchema.parse(
        await prisma.$queryRaw`
          SELECT "promptId", ${SUMS_OF_SUMS} FROM (
            SELECT "promptId", ${SUMS_OF_EDITS} FROM "EditJob" AS job
            WHERE "promptId" = ANY (${[...ids]}::text[]::uuid[]) AND ${isInHistory(viewer)}
            GROUP BY "promptId"
          ) AS sums
          GROUP BY "promptId"`,
      );
      const byId = new Map(rows.map(({ promptId, ...sums }) => [promptId, sums]));
      return ids.map((id) => byId.get(id) ?? NO_EDITS);
    },
  };
}
