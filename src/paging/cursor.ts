import { InvalidInputError } from '../errors.ts';
import type { Position, SortColumn } from './keyset.ts';
import type { Order } from './order.ts';

/** Version of the content. Cursors of other versions are rejected. */
const VERSION = 1;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEYS = {
  bigint: /^-?\d{1,18}$/,
  uuid: UUID,
  timestamptz: /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/,
} satisfies Record<SortColumn['type'], RegExp>;

/** Opaque to clients: the order, and the position of a row in it. */
export function encodeCursor({ field, direction }: Order<string>, { key, id }: Position): string {
  return Buffer.from(JSON.stringify([VERSION, field, direction, key, id])).toString('base64url');
}

/** @throws InvalidInputError if the cursor is invalid or belongs to another order. */
export function decodeCursor(
  argument: 'after' | 'before',
  cursor: string,
  order: Order<string>,
  column: SortColumn,
): Position {
  const [version, field, direction, key, id] = parse(cursor);
  if (
    version !== VERSION ||
    typeof id !== 'string' ||
    !UUID.test(id) ||
    typeof field !== 'string' ||
    typeof direction !== 'string' ||
    !(key === null || typeof key === 'string')
  ) {
    throw refused(argument, 'is not a valid cursor');
  }
  if (field !== order.field || direction !== order.direction) {
    throw refused(
      argument,
      `is a cursor for the order ${field.slice(0, 32)} ${direction.slice(0, 8)}, not for ${order.field} ${order.direction}`,
    );
  }
  if (key === null ? !column.isNullable : !KEYS[column.type].test(key)) {
    throw refused(argument, 'is not a valid cursor');
  }
  return { key, id };
}

function parse(cursor: string): unknown[] {
  if (cursor.length > 512) return [];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

function refused(argument: string, why: string): InvalidInputError {
  return new InvalidInputError(
    argument,
    'INVALID_VALUE',
    `${argument} ${why}. Use \`cursor\`, \`startCursor\` or \`endCursor\` from a response to the same query.`,
  );
}
