import { vi } from 'vitest';

/** Longer than anything takes on a busy machine: the wait is no bar, what is waited for is. */
const TIMEOUT_MS = 30_000;

/** Asks again until the callback neither throws nor rejects; answers what it answered. */
export function eventually<Result>(
  callback: () => Result | Promise<Result>,
  { timeout = TIMEOUT_MS, interval = 50 } = {},
): Promise<Result> {
  return vi.waitFor(callback, { timeout, interval });
}
