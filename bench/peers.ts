import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { peakRssBytesDuring, rssBytesOf, untilIdle } from '../test/support/process-stats.ts';
import { median } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { startUpstream } from './forward/upstream.ts';
import { createClient } from './peers/client.ts';
import { createSeenEdits } from './peers/seen-edits.ts';
import { installPeers } from './peers/start-peer.ts';
import { ABOUT, startTargets, type Target } from './peers/targets.ts';
import { finish, JSON_OPTION } from './results/finish.ts';
import { withSpread } from './results/render.ts';
import type { Table } from './results/section.ts';

/**
 * The same edit through Retouch and through what one could use instead: one at a time, and 16 at once.
 * All targets are processes of one run and are measured in turn, each at rest before the others'
 * turns. There are no bars: `bench/forward.ts` has those. Exit code 1: a target failed.
 *
 * `node bench/peers.ts [--runs 5]`; installs the peers the first time, and wants an idle machine.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, ...JSON_OPTION },
});
const RUNS = Number(values.runs);

const MB = 1_000_000;
const INPUT_BYTES = 25 * MB;
const OUTPUT_BYTES = 2 * MB;
const DELAY_MS = 50;
const AT_ONCE = { edits: 16, concurrency: 16 };
const ONE_BY_ONE = { edits: 4, concurrency: 1 };

/** Of each run. */
interface Figures {
  /** Per edit, one at a time. */
  readonly aloneMs: number[];
  readonly atOnceMs: number[];
  readonly growthMb: number[];
  /** Once, after a few edits one at a time. */
  readonly idleMb: number | null;
}

await installPeers();
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
try {
  const figures = await measure();
  await finish({ rows: [], tables: [tableOf(figures)], notes: ABOUT }, values.json);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function measure(): Promise<Map<Target, Figures>> {
  await using opened = new AsyncDisposableStack();
  const png = await noisePng(INPUT_BYTES);
  const upstream = await startUpstream({ delayMs: DELAY_MS, imageBytes: OUTPUT_BYTES });
  opened.defer(() => upstream.stop());
  const targets = await startTargets({ upstreamUrl: upstream.url, dir, opened });
  const client = opened.adopt(createClient({ png }), ({ close }) => close());
  const seenDuring = createSeenEdits(upstream.url, png.length);
  const run = async (target: Target, load: typeof AT_ONCE) => {
    try {
      return await seenDuring(load.edits, () => client.run(target, load));
    } catch (error) {
      throw new Error(`${target.name}: ${error instanceof Error ? error.message : error}`);
    }
  };

  const figures = new Map<Target, Figures>();
  for (const target of targets) {
    await run(target, ONE_BY_ONE);
    await rest(target);
    const idleMb = target.pid === null ? null : (await rssBytesOf(target.pid)) / MB;
    figures.set(target, { aloneMs: [], atOnceMs: [], growthMb: [], idleMb });
  }
  for (let round = 0; round < RUNS; round += 1) {
    // Which begins changes, so that a slow spell does not hit the same one each time.
    const start = round % targets.length;
    for (const target of [...targets.slice(start), ...targets.slice(0, start)]) {
      const own = figures.get(target);
      if (own === undefined) continue;
      own.aloneMs.push((await run(target, ONE_BY_ONE)) / ONE_BY_ONE.edits);
      await rest(target);
      const atOnce = async () => {
        own.atOnceMs.push(await run(target, AT_ONCE));
      };
      if (target.pid === null) await atOnce();
      else {
        const peakMb = (await peakRssBytesDuring(target.pid, atOnce)) / MB;
        own.growthMb.push(peakMb - (own.idleMb ?? 0));
      }
      await rest(target);
      process.stderr.write(
        `${target.name}: ${own.aloneMs.at(-1)?.toFixed(0)} ms, 16 at once ${own.atOnceMs.at(-1)?.toFixed(0)} ms\n`,
      );
    }
  }
  return figures;
}

async function rest({ pid }: Target): Promise<void> {
  if (pid !== null) await untilIdle(pid);
}

function tableOf(figures: ReadonlyMap<Target, Figures>): Table {
  const [direct] = figures.values();
  const time = (runs: readonly number[], floor: readonly number[] = []) => {
    const ratio = floor === runs ? '' : `, ${(median(runs) / median(floor)).toFixed(2)}x`;
    return `${withSpread(`${median(runs).toFixed(0)} ms`, runs)}${ratio}`;
  };
  return {
    title: 'Medians of the runs; the ratios are over a direct call.',
    columns: ['', 'one edit', '16 at once', 'growth of memory, 16 at once', 'memory at rest'],
    lines: [...figures].map(([{ name }, { aloneMs, atOnceMs, growthMb, idleMb }]) => [
      name,
      time(aloneMs, direct?.aloneMs),
      time(atOnceMs, direct?.atOnceMs),
      idleMb === null ? '' : withSpread(`${median(growthMb).toFixed(0)} MB`, growthMb),
      idleMb === null ? '' : `${idleMb.toFixed(0)} MB`,
    ]),
  };
}
