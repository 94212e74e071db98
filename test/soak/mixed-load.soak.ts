import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { untilIdle } from '../support/process-stats.ts';
import { seededRandom } from '../support/random.ts';
import type { Row } from '../support/report.ts';
import { report, showMb, toMb } from './figures.ts';
import { play } from './mixed-load/actors.ts';
import { checkPromises, countUntold, none } from './mixed-load/check-promises.ts';
import { createClient, type Tally, totalOf } from './mixed-load/client.ts';
import { openEdits, readHistory } from './mixed-load/history.ts';
import { createLedger } from './mixed-load/ledger.ts';
import { READERS } from './mixed-load/readers.ts';
import { makeSampleImages } from './mixed-load/sample-images.ts';
import {
  type Descriptors,
  descriptorsOf,
  type Sampler,
  startSampler,
} from './mixed-load/sampler.ts';
import { LIMIT_BYTES, type LimitedServices, startLimitedServices } from './mixed-load/services.ts';
import { openSubscribers } from './mixed-load/subscribers.ts';
import { measureTables, showTables, tableFaults } from './mixed-load/tables.ts';
import { startPaidUpstream } from './mixed-load/upstream.ts';
import { listenByWebhook } from './mixed-load/webhooks.ts';
import { WRITERS } from './mixed-load/writers.ts';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 20);
const SEED = Number(process.env['SOAK_SEED'] ?? 15);
/** A file for what the processes logged. */
const LOG_FILE = process.env['SOAK_LOG'];
/** Memory is compared between three minutes in the middle and the last three. */
const WINDOW_MINUTES = 3;
const WARM_MINUTES = 0.4 * MINUTES;
/** In a shorter run, nothing is warm. */
const IS_LONG = MINUTES >= 15;
/** What V8 and malloc keep varies by as much from minute to minute. */
const MAX_GROWTH_MB = 25;
const MAX_MORE_DESCRIPTORS = 10;
const PATIENCE_MS = 300_000;

describe.runIf(hasDatabase)(`${MINUTES} minutes of everything at once`, () => {
  test('within 512 MB lose nothing, kill nothing, and leave memory, descriptors and tables flat', {
    timeout: (MINUTES + 30) * 60_000,
  }, async () => {
    const random = seededRandom(SEED);
    const upstream = await startPaidUpstream(random);
    onTestFinished(() => upstream.stop());
    const services = await startLimitedServices(upstream.url);
    const { url } = services;
    const tally: Tally = { requests: 0, busy: new Map(), wrong: new Map() };
    const ledger = createLedger(random);
    const stage = { url, tally, ledger, images: await makeSampleImages(), random };
    const opener = createClient(stage);
    const told = await listenByWebhook(opener, random);
    opener.close();
    const idle = await atRest(services);

    const posts = () => [...upstream.accounts.values()].reduce((sum, one) => sum + one.posts, 0);
    const subscribers = await openSubscribers(stage);
    const sampler = startSampler(services, () => ({
      requests: tally.requests,
      acknowledged: ledger.edits.size,
      POSTs: posts(),
      deleted: ledger.deleted.size,
      subscribed: subscribers.opened,
      webhooks: told.received,
      busy: totalOf(tally.busy),
    }));
    const endMs = performance.now() + MINUTES * 60_000;
    await play([...WRITERS, ...READERS], stage, () => performance.now() > endMs);
    expect(await endedEarly(services)).toEqual([]);
    sampler.stop();
    const client = createClient(stage);
    // What does not come to be in time is in the report.
    await whenever(async () => expect(await openEdits(client)).toBe(0));
    const edits = await readHistory(client);
    // The end of one that is deleted at once cannot be read any more.
    const ids = edits.map(({ id }) => id);
    await whenever(() => expect(subscribers.missed(ids)).toBe(0));
    await whenever(() => expect(countUntold(edits, told)).toBe(0));
    const stillOpen = await openEdits(client);
    const missed = subscribers.missed(ids);
    await subscribers.close();
    const promises = await checkPromises({ client, ledger, upstream, told });
    client.close();
    const rest = await atRest(services);
    const ends = await endAll(services);

    const database = await services.open();
    const tables = await measureTables(database).finally(() => database.close());
    const faults = tableFaults(tables, { edits: upstream.accounts.size, posts: posts() });
    show(sampler.table(), showTables(tables), ...faults);
    show(`The upstream: ${JSON.stringify(Object.fromEntries(upstream.moods))}`);
    for (const [what, count] of [...tally.busy, ...tally.wrong]) show(`${count} times ${what}`);
    report(`${MINUTES} minutes of mixed load, seed ${SEED}`, [
      { what: 'requests', service: `${tally.requests}` },
      { what: '  rejected for load (503 with Retry-After)', service: `${totalOf(tally.busy)}` },
      none('  answered as they should not be', totalOf(tally.wrong)),
      ...promises,
      none('edits that have not ended', stillOpen),
      none('subscribers that missed the end of one', missed),
      ...ends,
      none('tables that have grown without reason', faults.length),
      ...descriptorRows({ idle, rest, sampler }),
      ...sampler.names.flatMap((name) => memoryRows(sampler, name)),
    ]);
  });
});

const show = (...texts: string[]) => process.stdout.write(`\n${texts.join('\n\n')}\n`);

const whenever = (callback: () => void | Promise<void>) =>
  eventually(callback, { timeout: PATIENCE_MS, interval: 1_000 }).catch(() => undefined);

/** Names of processes that have ended, and how often a limit has killed one. */
async function endedEarly({ processes }: LimitedServices): Promise<string[]> {
  const ended = processes.filter(
    ({ service: { child } }) => child.exitCode !== null || child.signalCode !== null,
  );
  return Promise.all(
    ended.map(async ({ name, limit }) => `${name}, killed by its limit: ${await limit?.kills()}`),
  );
}

async function atRest({ processes }: LimitedServices): Promise<Descriptors> {
  await Promise.all(processes.map(({ pid }) => untilIdle(pid)));
  return descriptorsOf(processes);
}

async function endAll({ processes, postgres, dataDir }: LimitedServices): Promise<Row[]> {
  const limits = [...processes.map(({ limit }) => limit), postgres];
  const kills = await Promise.all(limits.map((limit) => limit?.kills() ?? 0));
  const exits = await Promise.all(processes.map(({ service }) => service.stop()));
  const lines = processes.flatMap(({ service }) => service.lines);
  if (LOG_FILE !== undefined) await writeFile(LOG_FILE, lines.join('\n'));
  const errors = lines.filter((line) => ERROR.test(line));
  if (errors.length > 0) show('Errors in the log:', ...errors.slice(0, 5));
  const leftOver = await Promise.all(
    ['staging', 'answers'].map((dir) => readdir(join(dataDir, dir)).catch(() => [])),
  );
  const isLimited = limits.some((limit) => limit !== null);
  return [
    none('errors in the log', errors.length),
    none(
      `processes that the limit has killed, ${isLimited ? 'in memory cgroups' : 'sampled'}`,
      kills.reduce((sum, count) => sum + count, 0),
    ),
    none('processes that did not end with 0', exits.filter((code) => code !== 0).length),
    none('files left over', leftOver.flat().length),
  ];
}

/** In a line of the log; or a stack, which is none. */
const ERROR = /"level":"(?:error|fatal)"|^(?!\{).*Error/;

function descriptorRows({
  idle,
  rest,
  sampler,
}: {
  idle: Descriptors;
  rest: Descriptors;
  sampler: Sampler;
}): Row[] {
  const warm = sampler.medianOthers(WARM_MINUTES, WARM_MINUTES + WINDOW_MINUTES);
  const atMost = MAX_MORE_DESCRIPTORS;
  return [
    {
      what: 'sockets at rest: before, after; more',
      service: `${idle.sockets}, ${rest.sockets}`,
      bar: { value: rest.sockets - idle.sockets, atMost, unit: '' },
    },
    {
      what: 'other descriptors: when warm, at rest after; more',
      service: `${warm}, ${rest.others}`,
      ...(IS_LONG && { bar: { value: rest.others - warm, atMost, unit: '' } }),
    },
  ];
}

function memoryRows(sampler: Sampler, name: string): Row[] {
  const peak = sampler.peakBytes(name);
  const warm = sampler.medianBytes(name, WARM_MINUTES, WARM_MINUTES + WINDOW_MINUTES);
  const end = sampler.medianBytes(name, MINUTES - WINDOW_MINUTES, MINUTES);
  return [
    {
      what: `memory of ${name}: peak`,
      service: '',
      bar: { value: toMb(peak), atMost: Math.floor(toMb(LIMIT_BYTES)), unit: 'MB' },
    },
    {
      what: '  median when warm, at the end; growth',
      service: `${showMb(warm)}, ${showMb(end)}`,
      ...(IS_LONG && { bar: { value: toMb(end - warm), atMost: MAX_GROWTH_MB, unit: 'MB' } }),
    },
  ];
}
