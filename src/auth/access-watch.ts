import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import type { Authenticator } from './authenticator.ts';
import type { Credentials } from './credentials.ts';
import type { Access } from './viewer.ts';

/** With the lifetime of a lookup, below the 5 s within which every revocation holds. */
const CHECK_MS = 1_500;

/** Streams and sockets that end when their access does. */
export interface AccessWatch {
  /**
   * Calls `end` once when the credential has expired or was revoked, or its owner was disabled.
   * Returns the function that stops watching.
   */
  watch(opened: OpenedAccess, end: () => void): () => void;
  /** Checks all now, such as after a notification. */
  check(): void;
  stop(): void;
}

export interface OpenedAccess extends Access {
  readonly credentials: Credentials;
}

/** Asks the authenticator again, whose lookups are cached: one statement for each key in a while. */
export function createAccessWatch(options: {
  authenticator: Authenticator;
  /** @default 1_500 */
  checkMs?: number;
  /** @default the system's clock */
  now?: () => Date;
}): AccessWatch {
  const { authenticator, checkMs = CHECK_MS, now = () => new Date() } = options;
  const watched = new Map<symbol, { readonly opened: OpenedAccess; readonly end: () => void }>();
  let timer: NodeJS.Timeout | undefined;

  function forget(key: symbol): void {
    watched.delete(key);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function check(): void {
    for (const [key, { opened, end }] of watched) {
      void hasEnded(opened).then((ended) => {
        if (!ended || !watched.has(key)) return;
        forget(key);
        end();
      });
    }
  }

  async function hasEnded({ credentials, expiresAt }: OpenedAccess): Promise<boolean> {
    if (expiresAt !== null && expiresAt <= now()) return true;
    try {
      await authenticator.authenticate(credentials);
      return false;
    } catch (error) {
      // While the database or an issuer is unavailable, nothing is known to have ended.
      return error instanceof UnauthenticatedError || error instanceof ForbiddenError;
    }
  }

  return {
    watch(opened, end) {
      // Without authentication nothing ends.
      if (!authenticator.isOn) return () => {};
      const key = Symbol('access');
      watched.set(key, { opened, end });
      timer ??= setInterval(check, checkMs);
      timer.unref();
      return () => forget(key);
    },
    check,
    stop() {
      watched.clear();
      clearInterval(timer);
      timer = undefined;
    },
  };
}
