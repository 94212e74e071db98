import { getDatamodel } from './generated/pothos.ts';

/** The columns of each table that hold one value, with their types as Prisma names them. */
export const COLUMNS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries(getDatamodel().datamodel.models).map(([table, { fields }]) => [
    table,
    new Map(
      fields
        .filter(({ kind, isList }) => kind !== 'object' && !isList)
        .map(({ name, type }) => [name, type]),
    ),
  ]),
);
