/**
 * Finds what a nullable id names; null without one. The selection is read all the same, since Pothos
 * takes one that is not for a mistake.
 */
export function findUnlessNull<Query extends object, Id, Row>(
  query: Query,
  id: Id | null | undefined,
  find: (query: Query, id: Id) => Row,
): Row | null {
  const selection = { ...query };
  return id == null ? null : find(selection, id);
}
