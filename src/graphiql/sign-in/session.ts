import type { Access } from '../transport/access.ts';
import { SIGN_IN } from '../transport/access.ts';
import { RejectedError, type Viewer } from '../transport/viewer.ts';
import { readCredential } from './credential.ts';

export interface SessionState {
  readonly status: 'checking' | 'signed-in' | 'signed-out';
  /** Who is signed in, or was last; null if nobody has signed in yet. */
  readonly viewer: Viewer | null;
  /** Why the credential no longer works; null if there was none. */
  readonly reason: string | null;
  /** False if a trusted proxy says who the viewer is. */
  readonly hasCredential: boolean;
}

/** Who uses the page. */
export interface Session {
  /** The same object until it changes. */
  state(): SessionState;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
  /** Signs in with the kept credential, or without one: a trusted proxy may name the user. */
  start(): Promise<void>;
  /**
   * @param options.keep Whether a reload of this tab signs in again.
   * @throws Error with the service's reason. The session is then unchanged.
   */
  signIn(text: string, options: { keep: boolean }): Promise<void>;
  /** Forgets the credential, and everything that the page has loaded with it. */
  signOut(): void;
}

/** In the session storage, which ends with the tab. */
const KEPT = 'retouch:credential';

export function createSession(options: {
  access: Access;
  storage: Storage;
  readViewer: (credential: string | null) => Promise<Viewer>;
  /** Loads the page again. */
  reload: () => void;
}): Session {
  const { access, storage, readViewer, reload } = options;
  const listeners = new Set<() => void>();
  let state: SessionState = {
    status: 'checking',
    viewer: null,
    reason: null,
    hasCredential: false,
  };

  function set(next: SessionState) {
    state = next;
    for (const listener of listeners) listener();
  }

  function begin(viewer: Viewer, credential: string | null) {
    const hasCredential = credential !== null;
    set({ status: 'signed-in', viewer, reason: null, hasCredential });
    access.open(credential);
  }

  function end(reason: string | null) {
    storage.removeItem(KEPT);
    access.close();
    set({ ...state, status: 'signed-out', reason });
  }

  /** Null if the service accepts a credential after all, or cannot be reached. */
  async function reasonOf(credential: string | null): Promise<string | null> {
    return readViewer(credential).then(
      () => null,
      (error) => (error instanceof RejectedError ? error.message : null),
    );
  }

  access.onRejected(async ({ credential, status, message }) => {
    // 403 may concern one request only.
    const reason = status === 401 ? (message ?? SIGN_IN) : await reasonOf(credential);
    const isCurrent = access.isOpen() && access.credential() === credential;
    if (reason !== null && isCurrent) end(reason);
  });

  return {
    state: () => state,
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    async start() {
      access.close();
      const kept = storage.getItem(KEPT);
      try {
        begin(await readViewer(kept), kept);
      } catch (error) {
        const isRejected = error instanceof RejectedError;
        const { message } = error as Error;
        if (isRejected) end(kept === null ? null : message);
        else set({ ...state, status: 'signed-out', reason: `${message} Reload to try again.` });
      }
    },
    async signIn(text, { keep }) {
      const credential = readCredential(text);
      const viewer = await readViewer(credential);
      if (keep) storage.setItem(KEPT, credential);
      else storage.removeItem(KEPT);
      begin(viewer, credential);
    },
    signOut() {
      storage.removeItem(KEPT);
      access.close();
      reload();
    },
  };
}
