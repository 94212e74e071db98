import type { Viewer } from '../../auth/viewer.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { checkAll } from '../../errors.ts';
import type { ListCount } from '../../paging/count.ts';
import type { Position } from '../../paging/keyset.ts';
import { type Page, type PageArgs, pageRange, toPage, toReading } from '../../paging/page-range.ts';
import { countHistory } from './count.ts';
import { filterConditions } from './filter-sql.ts';
import { type HistoryFilter, type HistoryQuery, NEWEST_FIRST } from './history-query.ts';
import {
  all,
  asked,
  type Reading,
  type ReadPosition,
  readFound,
  readInOrder,
  readWalking,
  SORT_COLUMNS,
} from './history-sql.ts';
import { type MetadataTerm, metadataTerm, readByMetadata } from './metadata-search.ts';
import { checkSearch, findPrompts, type SearchTerm, searchTerm } from './prompt-search.ts';

/** Edits that `pages` gives at once. */
const PAGE_OF_ALL = 500;

/**
 * A viewer's edits, without the deleted ones: filtered, searched and ordered. Returns ids only, by at
 * most three statements whatever the size of the history; callers read the rows that they show.
 */
export interface History {
  /** @throws InvalidInputError for everything invalid in a search and a page. */
  check(query: Pick<HistoryQuery, 'search' | 'order'>, args: PageArgs): void;
  /**
   * As `check`.
   * @param data Read of each edit by the same statement, see EditRows.
   */
  page(
    viewer: Viewer,
    query: HistoryQuery,
    args: PageArgs,
    data?: Prisma.Sql,
  ): Promise<Page<ReadPosition>>;
  /** All edits in order, in lists of some hundreds; each list is read when it is pulled. */
  pages(viewer: Viewer, query: HistoryQuery): AsyncGenerator<readonly string[], void, undefined>;
  count(viewer: Viewer, query: HistoryQuery): Promise<ListCount>;
  /** Whether an edit matches a filter. */
  matches(viewer: Viewer, filter: HistoryFilter, id: string): Promise<boolean>;
}

export function createHistory({ prisma }: { prisma: PrismaClient }): History {
  async function read(
    reading: Reading,
    term: SearchTerm | null,
    metadata: MetadataTerm | null,
  ): Promise<readonly ReadPosition[]> {
    if (term === null) {
      const byMetadata = metadata && (await readByMetadata(prisma, reading, metadata));
      return byMetadata ?? prisma.$queryRaw<ReadPosition[]>(readInOrder(reading));
    }
    const near = await prisma.$queryRaw<ReadPosition[]>(readWalking(reading, term));
    if (near.length >= reading.limit) return near;
    const found = await findPrompts(prisma, term);
    return prisma.$queryRaw<ReadPosition[]>(readFound(reading, found));
  }

  function check({ search, order = NEWEST_FIRST }: HistoryQuery, args: PageArgs) {
    const column = SORT_COLUMNS[order.field];
    return checkAll({
      search: () => checkSearch(search),
      range: () => pageRange(args, order, column),
    });
  }

  return {
    check,

    async page(viewer, query, args, data) {
      const { order = NEWEST_FIRST } = query;
      const column = SORT_COLUMNS[order.field];
      const { range } = check(query, args);
      const { term, metadata, ...those } = askedFor(viewer, query);
      const reading: Reading = { ...those, column, ...toReading(range, order), data };
      return toPage(range, await read(reading, term, metadata));
    },

    async *pages(viewer, query) {
      const { order = NEWEST_FIRST } = query;
      const { term, metadata, ...those } = askedFor(viewer, query);
      const reading = {
        ...those,
        column: SORT_COLUMNS[order.field],
        direction: order.direction,
        before: null,
        limit: PAGE_OF_ALL,
      };
      for (let after: Position | null = null; ; ) {
        const rows = await read({ ...reading, after }, term, metadata);
        if (rows.length > 0) yield rows.map(({ id }) => id);
        after = rows.at(-1) ?? null;
        if (rows.length < PAGE_OF_ALL) return;
      }
    },

    // Async: what cannot be searched for rejects.
    async count(viewer, query) {
      const { term, ...those } = askedFor(viewer, query);
      return countHistory(prisma, those, term);
    },

    async matches(viewer, filter, id) {
      const those = asked({ viewer, conditions: filterConditions(viewer, filter) });
      const found = await prisma.$queryRaw<unknown[]>`
        SELECT 1 FROM "EditJob" AS job
        WHERE ${all([Prisma.sql`job.id = ${id}::uuid`, ...those])}`;
      return found.length > 0;
    },
  };
}

/** @throws InvalidInputError for a search that cannot be. */
function askedFor(viewer: Viewer, { filter = {}, search }: HistoryQuery) {
  return {
    viewer,
    conditions: filterConditions(viewer, filter),
    metadata: metadataTerm(viewer, filter),
    term: searchTerm(viewer, search),
  };
}
