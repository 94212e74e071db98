import { setTimeout as delay } from 'node:timers/promises';

const MINUTE_MS = 60_000;

/** Waits for the next minute if less than `neededMs` of this one are left. */
export async function inOneMinute(neededMs = 15_000): Promise<void> {
  const leftMs = MINUTE_MS - (Date.now() % MINUTE_MS);
  if (leftMs < neededMs) await delay(leftMs + 50);
}
