import pg from 'pg';
import { viewerOf } from '../../src/auth/visible.ts';
import { createHistory } from '../../src/edits/history/history.ts';
import type { HistoryQuery } from '../../src/edits/history/history-query.ts';
import { createLineage } from '../../src/edits/lineage/lineage.ts';
import { createPrompts } from '../../src/edits/prompts/prompts.ts';
import { createLog } from '../../src/log.ts';
import { parseGlobalId } from '../../src/public-ids/global-id.ts';
import { createUsageReports } from '../../src/usage/report.ts';
import { openServer } from '../../test/support/open-database.ts';
import { TERMS } from './prompts.ts';
import { recordStatements } from './recorder.ts';

const VIEWER = viewerOf('local');
const USED_LAST = { field: 'LAST_USE', direction: 'DESC' } as const;

const PAGES: Record<string, HistoryQuery> = {
  'first page': {},
  'filtered: failed': { filter: { status: ['FAILED'] } },
  'filtered: two statuses and a model': {
    filter: { status: ['FAILED', 'OUTCOME_UNKNOWN'], model: ['gpt-image-2'] },
  },
  'filtered: a day half a year ago': {
    filter: { createdAt: { from: new Date('2026-04-05'), to: new Date('2026-04-06') } },
  },
  'filtered: a label': { filter: { metadata: { project: 'p7' } } },
  'by cost': { order: { field: 'COST', direction: 'DESC' } },
  'by tokens': { order: { field: 'TOTAL_TOKENS', direction: 'DESC' } },
  'by duration': { order: { field: 'DURATION', direction: 'ASC' } },
  ...Object.fromEntries(
    Object.entries(TERMS).map(([name, search]) => [`search: ${name}`, { search }]),
  ),
  'search: rare Chinese, filtered': {
    search: TERMS.rareChinese,
    filter: { status: ['SUCCEEDED'] },
  },
};

/**
 * How Postgres runs our own statements, with their values. What Prisma adds reads rows by their
 * primary keys. `scans` are those that read "EditJob" from end to end.
 */
export async function explainAll(
  url: string,
  treeId: string,
): Promise<{ plans: string; scans: string[] }> {
  const database = openServer({ DATABASE_URL: url }, createLog({ level: 'warn' }));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { prisma, take } = recordStatements(database.prisma);
  const history = createHistory({ prisma });
  const lineage = createLineage({ prisma });
  const prompts = createPrompts({ prisma });
  const usage = createUsageReports({ prisma });
  const plans: string[] = [];
  const scans: string[] = [];

  async function explain(name: string, work: () => Promise<unknown>): Promise<void> {
    await work();
    for (const { text, values } of take()) {
      if (text.trimStart().startsWith('EXPLAIN')) continue;
      const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, [...values]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      plans.push(`== ${name}\n${plan}\n`);
      if (/Seq Scan on "EditJob"( |$)/m.test(plan)) scans.push(name);
    }
  }

  try {
    for (const [name, query] of Object.entries(PAGES)) {
      await explain(name, () => history.page(VIEWER, query, { first: 20 }));
    }
    await explain('counts', () => history.count(VIEWER, {}));
    await explain('count of a search', () => history.count(VIEWER, { search: TERMS.common }));
    await explain('prompts', async () => {
      const { rows } = await prompts.page(VIEWER, { order: USED_LAST }, {});
      await prompts.sums(
        VIEWER,
        rows.map(({ id }) => id),
      );
    });
    await explain('a month of usage by day and model', () =>
      usage.report(VIEWER, {
        from: new Date('2026-03-01'),
        to: new Date('2026-04-01'),
        groupBy: ['DAY', 'MODEL'],
        timeZone: 'UTC',
        metadataKey: null,
        sandbox: null,
        first: 1_000,
      }),
    );
    const job = parseGlobalId(treeId)?.id ?? '';
    await explain('lineage of 50', () => lineage.tree(VIEWER, job));
    await explain('relatives of a job', async () => {
      const { parents, children } = lineage.lists(VIEWER);
      await parents.counts([job]);
      await children.counts([job]);
    });
    return { plans: plans.join('\n'), scans };
  } finally {
    await client.end();
    await database.close();
  }
}
