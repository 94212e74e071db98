import { Prisma } from '../database/database.ts';
import { ForbiddenError } from '../errors.ts';
import { type Viewer, viewerWith } from './viewer.ts';

/**
 * The one rule for which rows of owned tables (those with the column `ownerId`) a statement may
 * touch. Each statement on such a table uses `visibleTo` or `visibleRows`, `ownedBy` or `ownedRows`,
 * or says `ofAllOwners`; test/auth/visible.test.ts finds those that do not.
 */

/**
 * The rows that a viewer may read, as a Prisma condition: those of one owner, or every owner's for
 * an admin. A foreign row looks absent.
 */
export const visibleTo = ({ reads }: Pick<Viewer, 'reads'>) =>
  reads === null ? {} : ownedBy(reads);

/** The same in SQL, on the rows of a table or its alias. */
export const visibleRows = ({ reads }: Viewer, row: string): Prisma.Sql =>
  reads === null ? Prisma.sql`TRUE` : ownedRows(reads, row);

/** Whether a viewer may read the rows of an owner. */
export const mayRead = ({ reads }: Viewer, ownerId: string): boolean =>
  reads === null || reads === ownerId;

/**
 * The owner whose rows a list has, for SQL functions and indexes that are split by owner: lists are
 * of one owner, also for an admin (see `asOwner`).
 */
export const visibleOwner = ({ ownerId }: Viewer): string => ownerId;

/** The owner for whom a viewer creates and changes rows. */
export const ownerOf = ({ ownerId }: Viewer): string => ownerId;

/** A viewer who sees the rows of one owner and may do nothing that is for admins. */
export const viewerOf = (ownerId: string): Viewer =>
  viewerWith({ ownerId, scopes: ['EDIT'], credential: { kind: 'NONE' } });

/** The rows of one owner, for statements on that owner's behalf, as a Prisma condition. */
export const ownedBy = (ownerId: string) => ({ ownerId }) as const;

/** The same in SQL, on the rows of a table or its alias. */
export const ownedRows = (ownerId: string, row: string): Prisma.Sql =>
  Prisma.sql`${Prisma.raw(`"${row}"."ownerId"`)} = ${ownerId}`;

/**
 * Says that the statements made with this client, or with these conditions, touch rows of all owners
 * on purpose: those of workers, recovery, sweeps and retention, and those of admins. Returns its
 * argument.
 */
export const ofAllOwners = <Value>(value: Value): Value => value;

/** @param action what only admins may do, such as a mutation's name. @throws ForbiddenError */
export function assertAdmin({ isAdmin }: Viewer, action: string): void {
  if (!isAdmin) throw new ForbiddenError(`${action} is for admins only.`);
}

/** @throws ForbiddenError for a credential that can only read. */
export function assertCanEdit({ canEdit }: Viewer): void {
  if (canEdit) return;
  throw new ForbiddenError('This needs a credential with the scope edit; yours can only read.');
}
