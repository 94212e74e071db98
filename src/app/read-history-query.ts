import type { ReadHistoryQuery } from '../admin/commands/history.ts';

/** For commands. Loads the schema, which most of them do not need, when it is first called. */
export const readHistoryQuery: ReadHistoryQuery = async (given) => {
  const { readHistoryArguments } = await import('../schema/history-arguments.ts');
  return readHistoryArguments(given);
};
