import type { Viewer } from '../../auth/viewer.ts';
import { visibleTo } from '../../auth/visible.ts';

/** The edits that a viewer sees. Deleted edits are left out; only their usage remains. */
export const inHistory = (viewer: Viewer) => ({ ...visibleTo(viewer), deletedAt: null }) as const;
