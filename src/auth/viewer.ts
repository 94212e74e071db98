/** Who asks. Every row has an owner, and a viewer sees the rows of one owner. */
export interface Viewer {
  readonly ownerId: string;
  /** May ask across owners, and do what concerns them all. */
  readonly isAdmin: boolean;
}

/** The one user of a service without authentication. */
export const LOCAL_VIEWER: Viewer = Object.freeze({ ownerId: 'local', isAdmin: true });
