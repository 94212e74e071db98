import { v7 as uuid } from 'uuid';
import { Prisma, type Transaction } from '../database/database.ts';
import type { Viewer } from './viewer.ts';

/** Who does something, as the audit records it. */
export interface Auditor {
  readonly viewer: Viewer;
  /** Of the request, as in the log. Null: of no request, such as a command. */
  readonly requestId: string | null;
}

/** Something that an admin did, or that happened to a key. */
export interface AuditedAction {
  /** The mutation's name. */
  readonly action: string;
  readonly object: { readonly type: string; readonly id: string; readonly ownerId: string | null };
  /** Without secrets. Null: the object did not exist. */
  readonly before?: Prisma.InputJsonObject;
  /** Null: the object no longer exists, or did not change. */
  readonly after?: Prisma.InputJsonObject;
}

/** Records actions in the transactions that do them, so that none is missing and none is made up. */
export interface Audit {
  record(tx: Pick<Transaction, 'auditEvent'>, actor: Auditor, action: AuditedAction): Promise<void>;
}

export function createAudit(): Audit {
  return {
    async record(tx, { viewer, requestId }, { action, object, before, after }) {
      const { credential } = viewer;
      await tx.auditEvent.createMany({
        data: {
          id: uuid(),
          actorId: viewer.ownerId,
          actorKeyId: credential.kind === 'API_KEY' ? credential.id : null,
          ownerId: object.ownerId,
          action,
          objectType: object.type,
          objectId: object.id,
          before: before ?? Prisma.DbNull,
          after: after ?? Prisma.DbNull,
          requestId,
        },
      });
    },
  };
}
