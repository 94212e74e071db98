import type { CreateExportHistory } from '../admin/commands/history.ts';
import { viewerWith } from '../auth/viewer.ts';
import { createHistory } from '../edits/history/history.ts';
import { createExportEdits } from '../export/export-edits.ts';
import { exportText } from '../export/export-text.ts';
import { EXPORT_FORMATS } from '../export/formats.ts';

/** An export as an admin who reads the history of an owner gets it. */
export const createExportHistory: CreateExportHistory = ({ prisma, imageLinks }) => {
  const exportEdits = createExportEdits({ prisma, history: createHistory({ prisma }), imageLinks });
  return async function* exportHistory({ ownerId, format: name, baseUrl, ...given }) {
    const format = EXPORT_FORMATS[name];
    if (format === undefined) throw new Error(`there is no format ${name}`);
    // It loads the schema, which most commands do not need.
    const { readHistoryArguments } = await import('../schema/history-arguments.ts');
    const query = readHistoryArguments(given);
    const viewer = viewerWith({ ownerId, scopes: ['ADMIN'], credential: { kind: 'NONE' } });
    yield* exportText(format, exportEdits(viewer, query, baseUrl));
  };
};
