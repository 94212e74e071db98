/** Who makes a request. Every row has an owner, and a viewer sees the rows of one owner. */
export interface Viewer {
  readonly ownerId: string;
  /** May read across owners, and run operations that concern all of them. */
  readonly isAdmin: boolean;
}

/** The only user of a service without authentication. */
export const LOCAL_VIEWER: Viewer = Object.freeze({ ownerId: 'local', isAdmin: true });
