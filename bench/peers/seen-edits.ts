import type { SandboxStats } from '../../src/sandbox/stats.ts';

/**
 * What the upstream has got, so that no target looks fast because it has sent less. The file of each
 * edit must have at least `imageBytes`.
 */
export function createSeenEdits(upstreamUrl: string, imageBytes: number) {
  const statsUrl = new URL('/sandbox/stats', upstreamUrl);
  const read = async () => (await (await fetch(statsUrl)).json()) as SandboxStats;

  /** @throws when `work` does not lead to exactly so many paid edits with whole images. */
  return async function during<Result>(edits: number, work: () => Promise<Result>) {
    const before = await read();
    const result = await work();
    const after = await read();
    const paid = after.paid - before.paid;
    const whole = after.lastRequests
      .slice(-edits)
      .filter(({ files }) => files.length === 1 && (files[0]?.bytes ?? 0) >= imageBytes);
    if (paid !== edits || whole.length !== edits) {
      throw new Error(`the upstream got ${paid} edits, ${whole.length} whole, instead of ${edits}`);
    }
    return result;
  };
}
