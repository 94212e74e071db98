import type { Scope } from './scopes.ts';

/**
 * Who makes a request, and what they may do. Every row has an owner. A viewer reads the rows of one
 * owner, and creates rows for one owner.
 */
export interface Viewer {
  /** The owner for whom the viewer creates rows. */
  readonly ownerId: string;
  /** The owner whose rows the viewer may read. Null: every owner's, for an admin. */
  readonly reads: string | null;
  /** May run operations that concern all owners. */
  readonly isAdmin: boolean;
  /** May submit edits, upload, change and delete. */
  readonly canEdit: boolean;
  /** Models that the viewer's edits may use, each with its snapshots. Null: any. */
  readonly allowedModels: readonly string[] | null;
  readonly credential: Credential;
}

/** What authenticated the request. */
export type Credential =
  | { readonly kind: 'NONE' | 'JWT' | 'PROXY' }
  | {
      readonly kind: 'API_KEY';
      readonly id: string;
      /** The key, the key that created it, and so on: the limits of all of them apply. */
      readonly lineage: readonly string[];
      /** Null: never. */
      readonly expiresAt: Date | null;
    };

/** An authenticated request or connection. */
export interface Access {
  readonly viewer: Viewer;
  /** When the credential expires. Null: never. */
  readonly expiresAt: Date | null;
}

/** The only user of a service without authentication. */
export const LOCAL_VIEWER: Viewer = Object.freeze<Viewer>({
  ownerId: 'local',
  reads: 'local',
  isAdmin: true,
  canEdit: true,
  allowedModels: null,
  credential: { kind: 'NONE' },
});

/** A viewer with the rights of scopes. */
export function viewerWith(options: {
  ownerId: string;
  scopes: readonly Scope[];
  allowedModels?: readonly string[] | null;
  credential: Credential;
}): Viewer {
  const { ownerId, scopes, allowedModels = null, credential } = options;
  const isAdmin = scopes.includes('ADMIN');
  return {
    ownerId,
    reads: isAdmin ? null : ownerId,
    isAdmin,
    canEdit: isAdmin || scopes.includes('EDIT'),
    allowedModels,
    credential,
  };
}

/** The API key that the viewer uses, and the keys that created it, in this order. Empty: none. */
export const apiKeysOf = ({ credential }: Viewer): readonly string[] =>
  credential.kind === 'API_KEY' ? credential.lineage : [];

/** The viewer, who reads only their own rows: for lists, also those of an admin. */
export function asOwner(viewer: Viewer): Viewer {
  return viewer.reads === viewer.ownerId ? viewer : { ...viewer, reads: viewer.ownerId };
}

/**
 * Whoever operates the service, and runs commands on its machine: an admin, recorded under the name
 * of the local user.
 */
export const OPERATOR: Viewer = Object.freeze(
  viewerWith({ ownerId: 'local', scopes: ['ADMIN'], credential: { kind: 'NONE' } }),
);
