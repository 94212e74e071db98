import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { peakRssBytesDuring, rssBytesOf, untilIdle } from '../support/process-stats.ts';
import { quantile } from '../support/report.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import {
  stallBySse,
  stallByWebSocket,
  type Watcher,
  watchBySse,
  watchByWebSocket,
} from '../support/subscriber-crowd.ts';
import { report, showMb, toMb } from './figures.ts';
import { watchStalled } from './stalled.ts';

const READERS = { sse: 400, webSocket: 50 };
const STALLED = { sse: 45, webSocket: 5 };
const WARM_UPS = 20;
/** One after the other each so often, in milliseconds: each is three changes. */
const EDIT_EVERY_MS = 1_000;
const EDITS = 60;
/** Told to those who never read, so that even the 4 MB that the kernel takes for them are full soon. */
const LONG_PROMPT = '秋'.repeat(31_000);

/** By the guarantee. */
const MAX_LAG_MS = 250;
const MAX_STALLED_SECONDS = 30;
/** What "flat" is: 200 kB for each subscriber at most, and no more the second time. */
const MAX_GROWTH_MB = 100;
const MAX_SECOND_GROWTH_MB = 20;

const WATCH =
  'subscription { editJobs { __typename ... on EditJobUpdate { editJob { id status createdAt startedAt finishedAt } } } }';
const WATCH_PROMPTS =
  'subscription { editJobs { ... on EditJobUpdate { editJob { id prompt { text } } } } }';

interface Round {
  readonly lagsMs: readonly number[];
  /** Ends of edits that a reader was not told of. */
  readonly missed: number;
  readonly stalledOpen: number;
  readonly stalledSeconds: number;
}

describe.runIf(hasDatabase)('500 subscribers, 50 of which never read', () => {
  test('hear soon, are dropped when they do not listen, and leave memory flat', async () => {
    const rig = await startRig({}, { delayMs: 200 });
    const { pid = 0 } = rig.service.child;
    for (let i = 0; i < WARM_UPS; i++) await rig.final(await rig.submit(LONG_PROMPT));
    await untilIdle(pid);
    const idleBytes = await rssBytesOf(pid);

    const rounds: Round[] = [];
    const restBytes: number[] = [];
    let peakBytes = 0;
    for (let i = 0; i < 2; i++) {
      const peak = await peakRssBytesDuring(pid, async () => rounds.push(await runRound(rig)));
      peakBytes = Math.max(peakBytes, peak);
      await untilIdle(pid);
      restBytes.push(await rssBytesOf(pid));
    }

    const lagsMs = rounds.flatMap((round) => round.lagsMs);
    const p95 = quantile(lagsMs, 0.95);
    const missed = rounds.reduce((sum, round) => sum + round.missed, 0);
    const stillOpen = rounds.reduce((sum, round) => sum + round.stalledOpen, 0);
    const longest = Math.max(...rounds.map((round) => round.stalledSeconds));
    const [first = 0, second = 0] = restBytes;
    report('450 subscribers that read and 50 that do not', [
      {
        what: 'from a change to its receipt, p50',
        service: `${quantile(lagsMs, 0.5).toFixed(0)} ms`,
      },
      {
        what: `  p95 of ${lagsMs.length}`,
        service: `${p95.toFixed(0)} ms`,
        bar: { value: p95, atMost: MAX_LAG_MS, unit: 'ms' },
      },
      {
        what: 'ends of edits that were not told',
        service: `${missed}`,
        bar: { value: missed, atMost: 0, unit: '' },
      },
      {
        what: 'those that never read: still open',
        service: `${stillOpen}`,
        bar: { value: stillOpen, atMost: 0, unit: '' },
      },
      {
        what: '  closed after they took no more, the last',
        service: `${longest.toFixed(1)} s`,
        bar: { value: longest, atMost: MAX_STALLED_SECONDS, unit: 's' },
      },
      { what: 'memory at rest, warm', service: showMb(idleBytes) },
      {
        what: '  peak over it',
        service: showMb(peakBytes),
        bar: { value: toMb(peakBytes - idleBytes), atMost: MAX_GROWTH_MB, unit: 'MB' },
      },
      { what: '  at rest after they have gone', service: showMb(first) },
      {
        what: '  and once more: what the second time adds',
        service: showMb(second),
        bar: { value: toMb(second - first), atMost: MAX_SECOND_GROWTH_MB, unit: 'MB' },
      },
    ]);
  });
});

async function runRound(rig: Rig): Promise<Round> {
  const { url } = rig.service;
  const lagsMs: number[] = [];
  const heardEnds: Set<string>[] = [];
  const newReader = () => {
    const ended = new Set<string>();
    heardEnds.push(ended);
    return (result: ReturnType<typeof JSON.parse>) => {
      const { __typename, editJob } = result.data.editJobs;
      if (__typename !== 'EditJobChanged') return;
      if (editJob.finishedAt !== null) ended.add(editJob.id);
      const changedAt = editJob.finishedAt ?? editJob.startedAt ?? editJob.createdAt;
      lagsMs.push(Date.now() - Date.parse(changedAt));
    };
  };
  const readers = [
    ...(await openAll(READERS.sse, () => watchBySse(url, WATCH, newReader()))),
    ...(await openAll(READERS.webSocket, () => watchByWebSocket(url, WATCH, newReader()))),
  ];
  const silent = [
    ...(await openAll(STALLED.sse, () => stallBySse(url, WATCH_PROMPTS))),
    ...(await openAll(STALLED.webSocket, () => stallByWebSocket(url, WATCH_PROMPTS))),
  ];
  const stalled = watchStalled(Number(new URL(url).port), silent);
  const closeAll = () => {
    stalled.stop();
    for (const watcher of [...readers, ...silent]) watcher.close();
  };
  onTestFinished(closeAll);

  const startedMs = performance.now();
  const ids: string[] = [];
  for (let i = 0; i < EDITS; i++) {
    await delay(Math.max(0, startedMs + i * EDIT_EVERY_MS - performance.now()));
    ids.push(await rig.submit(LONG_PROMPT));
  }
  for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
  const missed = () => heardEnds.reduce((sum, { size }) => sum + EDITS - size, 0);
  await vi.waitUntil(() => missed() === 0, { timeout: 10_000 }).catch(() => undefined);
  const round = {
    lagsMs,
    missed: missed(),
    stalledOpen: stalled.open(),
    stalledSeconds: stalled.longestMs() / 1_000,
  };
  closeAll();
  return round;
}

async function openAll(count: number, open: () => Promise<Watcher>): Promise<Watcher[]> {
  const opened: Watcher[] = [];
  while (opened.length < count) opened.push(await open());
  return opened;
}
