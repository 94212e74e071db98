import type { Viewer } from '../../auth/viewer.ts';
import { visibleTo } from '../../auth/visible.ts';

/** The edits that a viewer sees: their own, without the deleted ones, of which only the usage stays. */
export const inHistory = (viewer: Viewer) => ({ ...visibleTo(viewer), deletedAt: null }) as const;
