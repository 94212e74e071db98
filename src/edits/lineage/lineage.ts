import type { Viewer } from '../../auth/viewer.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { createLists, type ListSource, type Lists } from '../../paging/lists.ts';
import { sumEdits, type UsageSums } from '../../usage/usage-sums.ts';
import {
  editsWithImage,
  linksAmong,
  relativesOf,
  retriesOf,
  rootsOf,
  treeOf,
} from './lineage-sql.ts';

/** Edits of a tree that are shown. */
export const MAX_TREE = 1_000;

/** Links of a tree that are shown. */
export const MAX_LINKS = 5_000;

/** Ancestors that are looked at for the roots of one request. */
const MAX_ANCESTORS = 100_000;

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
 * Which edits derive from which: an edit is a child of another if an output image of the other is its
 * input image or mask. This is computed, not stored: by one statement for many edits, in the order of
 * the ids. Ids that the viewer does not see have no relatives.
 */
export interface Lineage {
  lists(viewer: Viewer): {
    readonly parents: Lists;
    readonly children: Lists;
    readonly retries: Lists;
    /** The edits that have an image as an output. */
    readonly producers: Lists;
    /** The edits that have an image as an input image or mask. */
    readonly users: Lists;
  };
  /** The earliest ancestors; of an edit without any, itself. */
  roots(viewer: Viewer, ids: readonly string[]): Promise<string[]>;
  /** All ancestors of an edit, and all descendants of those; null when it is not the viewer's. */
  tree(viewer: Viewer, id: string): Promise<Tree | null>;
}

export function createLineage({ prisma }: { prisma: PrismaClient }): Lineage {
  const pairs = (sql: Prisma.Sql) => prisma.$queryRaw<{ of: string; id: string }[]>(sql);

  const lists = (source: ListSource) => createLists({ prisma, source });

  return {
    lists: (viewer) => ({
      parents: lists(relativesOf(viewer, 'parents')),
      children: lists(relativesOf(viewer, 'children')),
      retries: lists(retriesOf(viewer)),
      producers: lists(editsWithImage(viewer, 'made')),
      users: lists(editsWithImage(viewer, 'taken')),
    }),
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
