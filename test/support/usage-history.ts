import fc from 'fast-check';
import type { UsageGroup, UsageRequest } from '../../src/usage/usage-request.ts';

/** A job as far as a usage report looks at it. */
export interface HistoryJob {
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly status: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN' | 'CANCELED';
  readonly errorCode: string | null;
  readonly sandbox: boolean;
  readonly model: string;
  readonly upstream: string | null;
  readonly quality: string | null;
  readonly resolvedSize: string;
  readonly promptId: string | null;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly deletedAt: Date | null;
  readonly outputCount: number;
  readonly costMicroUsd: bigint | null;
  readonly usage: JobTokens | null;
}

interface JobTokens {
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inputTextTokens: number | null;
  readonly inputImageTokens: number | null;
  readonly inputCachedTokens: number | null;
  readonly outputTextTokens: number | null;
  readonly outputImageTokens: number | null;
}

export const OWNERS = ['ann', 'ben'] as const;

/** Zones with the moments around which their clocks are set in 2026, in UTC. */
const ZONES = {
  UTC: ['2026-01-01T00:00Z', '2026-03-01T00:00Z'],
  'Asia/Kolkata': ['2026-01-31T18:30Z', '2026-06-01T00:00Z'],
  'Europe/Berlin': ['2026-03-29T01:00Z', '2026-10-25T01:00Z'],
  'America/New_York': ['2026-03-08T07:00Z', '2026-11-01T06:00Z'],
  'Australia/Lord_Howe': ['2026-04-04T15:00Z', '2026-10-03T15:30Z'],
  // Midnight is the hour that the clocks leave out, or have twice.
  'America/Havana': ['2026-03-08T05:00Z', '2026-11-01T05:00Z'],
} as const;

const HOUR_MS = 3_600_000;

/** Two weeks around it; often on the very minute at which something starts. */
const momentAround = (center: number) =>
  fc
    .oneof(
      fc.integer({ min: -6 * 48, max: 6 * 48 }).map((halfHours) => (halfHours * HOUR_MS) / 2),
      fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }),
      fc.integer({ min: -144 * HOUR_MS, max: 144 * HOUR_MS }),
    )
    .map((offsetMs) => new Date(center + offsetMs));

const tokens = fc.integer({ min: 0, max: 2_000_000_000 });
const maybe = fc.option(tokens, { nil: null });
const usage = fc.record({
  totalTokens: tokens,
  inputTokens: tokens,
  outputTokens: tokens,
  inputTextTokens: maybe,
  inputImageTokens: maybe,
  inputCachedTokens: maybe,
  outputTextTokens: maybe,
  outputImageTokens: maybe,
});

/** @param promptIds of each owner's prompts. */
const job = (center: number, promptIds: Readonly<Record<string, readonly string[]>>) =>
  fc
    .record({
      ownerId: fc.constantFrom(...OWNERS),
      createdAt: momentAround(center),
      status: fc.constantFrom(
        ...(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED'] as const),
      ),
      errorCode: fc.constantFrom(null, 'CANCELED'),
      sandbox: fc.boolean(),
      model: fc.constantFrom('gpt-image-1', 'gpt-image-2', 'Zeichner', 'äther', '模型'),
      upstream: fc.constantFrom(null, 'main', 'spare'),
      quality: fc.constantFrom(null, 'low', 'high'),
      resolvedSize: fc.constantFrom('1024x1024', 'auto'),
      prompt: fc.nat({ max: 1 }),
      metadata: fc.record(
        {
          project: fc.constantFrom<string | number | boolean>('x', 'Y', '', '1', 1, 0.5, true),
          'a "key"': fc.constant('b'),
        },
        { requiredKeys: [] },
      ),
      isDeleted: fc.boolean(),
      outputCount: fc.nat({ max: 10 }),
      costMicroUsd: fc.option(fc.bigInt({ min: 0n, max: 9_000_000_000_000n }), { nil: null }),
      usage: fc.option(usage, { nil: null }),
    })
    .map(
      ({ prompt, isDeleted, ...rest }): HistoryJob => ({
        ...rest,
        promptId: isDeleted ? null : (promptIds[rest.ownerId]?.[prompt] ?? null),
        metadata: isDeleted ? {} : rest.metadata,
        deletedAt: isDeleted ? new Date() : null,
      }),
    );

const groupBy = fc
  .tuple(
    fc.constantFrom<UsageGroup | null>(null, 'HOUR', 'DAY', 'MONTH'),
    fc.subarray<UsageGroup>(
      ['MODEL', 'UPSTREAM', 'PROMPT', 'STATUS', 'METADATA', 'OWNER', 'QUALITY', 'SIZE'],
      { maxLength: 2 },
    ),
    fc.boolean(),
  )
  .map(([unit, keys, isUnitFirst]) => {
    const units = unit === null ? [] : [unit];
    return isUnitFirst ? [...units, ...keys] : [...keys, ...units];
  })
  .filter((groups) => !(groups.includes('OWNER') && groups.includes('PROMPT')));

/** Jobs around a moment at which a zone's clocks are set, and a report that asks for some of them. */
export const histories = (promptIds: Readonly<Record<string, readonly string[]>>) =>
  fc
    .constantFrom(
      ...Object.entries(ZONES).flatMap(([timeZone, moments]) =>
        moments.map((moment) => ({ timeZone, center: Date.parse(moment) })),
      ),
    )
    .chain(({ timeZone, center }) =>
      fc.record({
        jobs: fc.array(job(center, promptIds), { maxLength: 40 }),
        request: fc
          .record({
            span: fc.tuple(momentAround(center), momentAround(center)),
            groupBy,
            sandbox: fc.constantFrom(null, null, true, false),
            first: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(1_000)),
          })
          .map(({ span, ...rest }): UsageRequest => {
            const [from, to] = [...span].sort((a, b) => a.getTime() - b.getTime());
            if (from === undefined || to === undefined) throw new Error('a span has two ends');
            const metadataKey = rest.groupBy.includes('METADATA') ? 'project' : null;
            return { ...rest, from, to, timeZone, metadataKey };
          }),
      }),
    );
