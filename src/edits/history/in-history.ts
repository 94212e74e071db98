import type { Viewer } from '../../auth/viewer.ts';

/** The edits that a viewer sees: their own, without the deleted ones, of which only the usage stays. */
export const inHistory = ({ ownerId }: Pick<Viewer, 'ownerId'>) =>
  ({ ownerId, deletedAt: null }) as const;
