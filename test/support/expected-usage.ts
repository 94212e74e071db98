import type { KeyGroup, UsageGroup, UsageRequest } from '../../src/usage/usage-request.ts';
import type { UsageSums } from '../../src/usage/usage-sums.ts';
import type { HistoryJob } from './usage-history.ts';

export interface ExpectedBucket {
  /** Of the unit of time, if there is one. */
  readonly date: string | null;
  readonly keys: Readonly<Partial<Record<KeyGroup, string | null>>>;
  readonly sums: UsageSums;
  readonly jobs: readonly HistoryJob[];
}

/** The report, worked out job by job, as slowly and plainly as can be. */
export function expectedUsage(
  history: readonly HistoryJob[],
  viewerId: string,
  request: UsageRequest,
): { totals: UsageSums; buckets: ExpectedBucket[] } {
  const { from, to, sandbox, groupBy, timeZone } = request;
  const jobs = history.filter(
    ({ ownerId, createdAt, ...job }) =>
      createdAt >= from &&
      createdAt < to &&
      (groupBy.includes('OWNER') || ownerId === viewerId) &&
      (sandbox === null || job.sandbox === sandbox),
  );
  const unit = groupBy.find((group) => isUnit(group));
  const keyGroups = groupBy.filter((group): group is KeyGroup => !isUnit(group));
  const byKey = Map.groupBy(groupBy.length === 0 ? [] : jobs, (job) =>
    JSON.stringify([
      unit === undefined ? null : localDate(unit, job.createdAt, timeZone),
      ...keyGroups.map((group) => keyOf(group, job, request.metadataKey)),
    ]),
  );
  const buckets = [...byKey].map(([json, members]) => {
    const [date, ...values]: (string | null)[] = JSON.parse(json);
    return {
      date: date ?? null,
      keys: Object.fromEntries(keyGroups.map((group, index) => [group, values[index]])),
      sums: sumUp(members),
      jobs: members,
    };
  });
  const time = (bucket: ExpectedBucket) => (unit === undefined ? 0 : earliest(bucket));
  const ordered = buckets.sort(
    (a, b) =>
      (a.date === b.date ? 0 : time(a) - time(b)) ||
      keyGroups.reduce((order, group) => order || compare(a.keys[group], b.keys[group]), 0),
  );
  return { totals: sumUp(jobs), buckets: ordered };
}

/** As `date` of a bucket: by Node's words for a moment, not by reckoning with offsets. */
export function localDate(unit: UsageGroup, moment: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-u-hc-h23', {
    timeZone,
    timeZoneName: 'longOffset',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  }).formatToParts(moment);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const month = `${part('year')}-${part('month')}`;
  if (unit === 'MONTH') return month;
  if (unit === 'DAY') return `${month}-${part('day')}`;
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return `${month}-${part('day')}T${part('hour')}:00${offset}`;
}

function isUnit(group: UsageGroup): group is 'HOUR' | 'DAY' | 'MONTH' {
  return group === 'HOUR' || group === 'DAY' || group === 'MONTH';
}

function keyOf(group: KeyGroup, job: HistoryJob, metadataKey: string | null): string | null {
  const label = metadataKey === null ? undefined : job.metadata[metadataKey];
  const values: Record<KeyGroup, string | null> = {
    MODEL: job.model,
    UPSTREAM: job.upstream,
    PROMPT: job.promptId,
    STATUS: job.status,
    METADATA: label === undefined ? null : String(label),
    OWNER: job.ownerId,
    QUALITY: job.quality,
    SIZE: job.resolvedSize,
  };
  return values[group];
}

function earliest({ jobs }: ExpectedBucket): number {
  return Math.min(...jobs.map(({ createdAt }) => createdAt.getTime()));
}

function compare(a: string | null | undefined, b: string | null | undefined): number {
  if (a == null || b == null) return Number(a == null) - Number(b == null);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const mayBePaid = ({ status, errorCode }: HistoryJob) =>
  status === 'OUTCOME_UNKNOWN' || (status === 'CANCELED' && errorCode !== null);

function sumUp(jobs: readonly HistoryJob[]): UsageSums {
  const countOf = (is: (job: HistoryJob) => boolean) => jobs.filter(is).length;
  const sumOf = (value: (job: HistoryJob) => number | null | undefined) =>
    jobs.reduce((sum, job) => sum + (value(job) ?? 0), 0);
  const cost = (some: readonly HistoryJob[]) =>
    some.reduce((sum, { costMicroUsd }) => sum + (costMicroUsd ?? 0n), 0n);
  return {
    edits: jobs.length,
    sandboxEdits: countOf(({ sandbox }) => sandbox),
    pending: countOf(({ status }) => status === 'QUEUED' || status === 'RUNNING'),
    succeeded: countOf(({ status }) => status === 'SUCCEEDED'),
    failed:
      countOf(({ status }) => status === 'FAILED') +
      countOf((job) => mayBePaid(job) && job.costMicroUsd !== null),
    canceled: countOf(({ status, errorCode }) => status === 'CANCELED' && errorCode === null),
    unresolved: countOf((job) => mayBePaid(job) && job.costMicroUsd === null),
    images: sumOf(({ outputCount }) => outputCount),
    editsWithUsage: countOf(({ usage }) => usage !== null),
    totalTokens: sumOf(({ usage }) => usage?.totalTokens),
    inputTokens: sumOf(({ usage }) => usage?.inputTokens),
    inputTextTokens: sumOf(({ usage }) => usage?.inputTextTokens),
    inputImageTokens: sumOf(({ usage }) => usage?.inputImageTokens),
    cachedInputTokens: sumOf(({ usage }) => usage?.inputCachedTokens),
    outputTokens: sumOf(({ usage }) => usage?.outputTokens),
    outputTextTokens: sumOf(({ usage }) => usage?.outputTextTokens),
    outputImageTokens: sumOf(({ usage }) => usage?.outputImageTokens),
    costMicroUsd: cost(jobs),
    nominalCostMicroUsd: cost(jobs.filter(({ sandbox }) => sandbox)),
    editsWithCost: countOf(({ costMicroUsd }) => costMicroUsd !== null),
    editsWithUnknownCost: countOf(
      ({ status, costMicroUsd }) => status === 'SUCCEEDED' && costMicroUsd === null,
    ),
  };
}
