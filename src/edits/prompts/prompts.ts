import { z } from 'zod';
import type { Viewer } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import { checkAll } from '../../errors.ts';
import type { Position } from '../../paging/keyset.ts';
import type { Order } from '../../paging/order.ts';
import { type Page, type PageArgs, pageRange, toPage } from '../../paging/page-range.ts';
import {
  NO_EDITS,
  SUMS_OF_EDITS,
  SUMS_OF_SUMS,
  type UsageSums,
  usageSumsSchema,
} from '../../usage/usage-sums.ts';
import { checkSearch, findPrompts, searchTerm } from '../history/prompt-search.ts';
import {
  PROMPT_COLUMNS,
  type PromptOrderField,
  type PromptReading,
  readFoundPrompts,
  readPrompts,
  readWalkingPrompts,
} from './prompts-sql.ts';

export interface PromptsQuery {
  readonly search?: string | null | undefined;
  readonly order: Order<PromptOrderField>;
}

/** A viewer's prompts, each text once, and what became of their edits. */
export interface Prompts {
  /** @throws InvalidInputError for a page, a cursor or a search that cannot be. */
  page(viewer: Viewer, query: PromptsQuery, args: PageArgs): Promise<Page>;
  /** Over the edits of each prompt, by one statement; in the order of the ids, the viewer's. */
  sums(ids: readonly string[]): Promise<UsageSums[]>;
  /** The newest edits of each prompt, at most so many; in the order of the ids, the viewer's. */
  jobs(ids: readonly string[], most: number): Promise<string[][]>;
}

const sumsSchema = z.array(usageSumsSchema.extend({ promptId: z.string() }));

export function createPrompts({ prisma }: { prisma: PrismaClient }): Prompts {
  async function read(viewer: Viewer, reading: PromptReading, search: PromptsQuery['search']) {
    const term = searchTerm(viewer.ownerId, search);
    if (term === null) return prisma.$queryRaw<Position[]>(readPrompts(reading));
    const near = await prisma.$queryRaw<Position[]>(readWalkingPrompts(reading, term));
    if (near.length >= reading.limit) return near;
    const found = await findPrompts(prisma, term);
    return prisma.$queryRaw<Position[]>(readFoundPrompts(reading, found));
  }

  return {
    async page(viewer, { search, order }, args) {
      const column = PROMPT_COLUMNS[order.field];
      const { range } = checkAll({
        search: () => checkSearch(search),
        range: () => pageRange(args, order, column),
      });
      const { isBackward, after, before, size } = range;
      const opposite = order.direction === 'DESC' ? 'ASC' : 'DESC';
      const rows = await read(
        viewer,
        {
          ownerId: viewer.ownerId,
          column,
          direction: isBackward ? opposite : order.direction,
          after: isBackward ? before : after,
          before: isBackward ? after : before,
          limit: size + 1,
        },
        search,
      );
      return toPage(range, rows);
    },

    async sums(ids) {
      const rows = sumsSchema.parse(
        await prisma.$queryRaw`
          SELECT "promptId", ${SUMS_OF_SUMS} FROM (
            SELECT "promptId", ${SUMS_OF_EDITS} FROM "EditJob"
            WHERE "promptId" = ANY (${[...ids]}::text[]::uuid[]) AND "deletedAt" IS NULL
            GROUP BY "promptId"
          ) AS sums
          GROUP BY "promptId"`,
      );
      const byId = new Map(rows.map(({ promptId, ...sums }) => [promptId, sums]));
      return ids.map((id) => byId.get(id) ?? NO_EDITS);
    },

    async jobs(ids, most) {
      const rows = await prisma.$queryRaw<{ of: string; ids: string[] }[]>`
        SELECT asked.id AS "of", ARRAY (
          SELECT job.id::text FROM "EditJob" AS job
          WHERE job."promptId" = asked.id AND job."deletedAt" IS NULL
          ORDER BY job."createdAt" DESC, job.id DESC LIMIT ${most}) AS ids
        FROM unnest(${[...ids]}::text[]::uuid[]) AS asked(id)`;
      const byId = new Map(rows.map((row) => [row.of, row.ids]));
      return ids.map((id) => byId.get(id) ?? []);
    },
  };
}
