import { z } from 'zod';
import type { Viewer } from '../../auth/viewer.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { sumEdits, type UsageSums } from '../../usage/usage-sums.ts';
import {
  countRelatives,
  editsWithImage,
  linksAmong,
  type Relatives,
  relativesOf,
  rootsOf,
  treeOf,
} from './lineage-sql.ts';

/** Edits of a tree that are shown. */
export const MAX_TREE = 1_000;

/** Links of a tree that are shown. */
export const MAX_LINKS = 5_000;

/** Ancestors that are looked at for the roots of one request. */
const MAX_ANCESTORS = 100_000;

export interface RelativeCounts {
  readonly parents: number;
  readonly children: number;
}

export interface Link {
  readonly parentId: string;
  readonly childId: string;
  readonly imageId: string;
}

export interface Tree {
  /** Oldest first. */
  readonly ids: readonly string[];
  readonly links: readonly Link[];
  /** Of `ids`. */
  readonly sums: UsageSums;
  /** There are more edits than MAX_TREE or more links than MAX_LINKS, which are not in it. */
  readonly isTruncated: boolean;
}

/**
 * Which edits come of which: one is the child of another when a picture that came of the other was
 * edited by it, or was its mask. Nothing of it is stored. Each answers for many edits by one
 * statement, in the order of the ids; ids that the viewer does not see have no relatives.
 */
export interface Lineage {
  counts(viewer: Viewer, ids: readonly string[]): Promise<RelativeCounts[]>;
  /** Oldest first, at most so many of each. */
  relatives(
    viewer: Viewer,
    ids: readonly string[],
    which: Relatives,
    most: number,
  ): Promise<string[][]>;
  /** The earliest ancestors; of an edit without any, itself. */
  roots(viewer: Viewer, ids: readonly string[]): Promise<string[]>;
  /** Which edits pictures came of (`made`), or were edited by (`taken`): oldest first. */
  editsWith(
    viewer: Viewer,
    imageIds: readonly string[],
    which: 'made' | 'taken',
    most: number,
  ): Promise<string[][]>;
  /** All ancestors of an edit, and all descendants of those; null when it is not the viewer's. */
  tree(viewer: Viewer, id: string): Promise<Tree | null>;
}

const countsSchema = z.array(
  z.object({ id: z.string(), parents: z.number(), children: z.number() }),
);

export function createLineage({ prisma }: { prisma: PrismaClient }): Lineage {
  const pairs = (sql: Prisma.Sql) => prisma.$queryRaw<{ of: string; id: string }[]>(sql);

  async function lists(ids: readonly string[], sql: Prisma.Sql): Promise<string[][]> {
    const listOf = Map.groupBy(await pairs(sql), (pair) => pair.of);
    return ids.map((id) => (listOf.get(id) ?? []).map((pair) => pair.id).sort());
  }

  return {
    async counts(viewer, ids) {
      const rows = countsSchema.parse(await prisma.$queryRaw(countRelatives(viewer, ids)));
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? { parents: 0, children: 0 });
    },
    relatives: (viewer, ids, which, most) => lists(ids, relativesOf(viewer, ids, which, most)),
    editsWith: (viewer, ids, which, most) => lists(ids, editsWithImage(viewer, ids, which, most)),
    async roots(viewer, ids) {
      const rootOf = new Map(
        (await pairs(rootsOf(viewer, ids, MAX_ANCESTORS))).map((pair) => [pair.of, pair.id]),
      );
      return ids.map((id) => rootOf.get(id) ?? id);
    },
    async tree(viewer, id) {
      const rows = await prisma.$queryRaw<{ id: string }[]>(treeOf(viewer, id, MAX_TREE + 1));
      if (rows.length === 0) return null;
      const ids = rows
        .slice(0, MAX_TREE)
        .map((row) => row.id)
        .sort();
      const [links, sums] = await Promise.all([
        prisma.$queryRaw<Link[]>(linksAmong(viewer, ids, MAX_LINKS + 1)),
        sumEdits(
          prisma,
          viewer,
          Prisma.sql`id = ANY (${ids}::text[]::uuid[]) AND "deletedAt" IS NULL`,
        ),
      ]);
      return {
        ids,
        links: links.slice(0, MAX_LINKS),
        sums,
        isTruncated: rows.length > MAX_TREE || links.length > MAX_LINKS,
      };
    },
  };
}
