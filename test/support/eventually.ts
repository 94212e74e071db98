import { vi } from 'vitest';

/**
 * Longer than anything takes on a machine that is slow and busy, in milliseconds. A test asserts what it
 * waits for, never how long that took.
 */
export const PATIENCE_MS = 120_000;

/** Asks again until the callback neither throws nor rejects; answers what it answered. */
export function eventually<Result>(
  callback: () => Result | Promise<Result>,
  { timeout = PATIENCE_MS, interval = 50 } = {},
): Promise<Result> {
  return vi.waitFor(callback, { timeout, interval });
}
