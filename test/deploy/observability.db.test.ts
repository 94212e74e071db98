import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { anchors } from '../support/markdown.ts';
import { EDIT } from '../support/operations.ts';
import { namedIn } from '../support/promql.ts';
import { type Scrape, scrape } from '../support/scrape.ts';
import { png } from '../support/test-images.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Of Prometheus itself, and labels that it adds to everything that it scrapes. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance'] };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const { groups } = parse(await read('deploy/prometheus/alerts.yaml'));
const rules: Rule[] = groups.flatMap((group: { rules: Rule[] }) => group.rules);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(await read('deploy/grafana/retouch-dashboard.json'));
const panels: Panel[] = dashboard.panels;
const variables: { name: string; type: string; definition?: string; query: unknown }[] =
  dashboard.templating.list;
const queries = [
  ...rules.map(({ alert, expr }) => ({ name: `alert ${alert}`, expr })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }, i) => ({ name: `panel ${title}, query ${i + 1}`, expr })),
  ),
];

describe.runIf(hasDatabase)('the queries of the dashboard and the alerts', () => {
  let app: TestApp;
  let scraped: Scrape;

  /** A service that has done a bit of everything. */
  beforeAll(async () => {
    app = await startTestApp({ METRICS_PORT: '0', DEFAULT_MODEL: 'gpt-image-1' }, NO_DRAWING);
    app.sandbox.faults.push({ kind: 'no_usage' });
    const variables = { input: { images: [{ file: null }], prompt: 'p', wait: 60 } };
    for (let i = 0; i < 2; i++) {
      await app.upload(EDIT, variables, { 'input.images.0.file': await png() });
    }
    await app.query('{ nothing }');
    scraped = await eventually(async () => {
      const now = await scrape(app.metricsUrl);
      expect(now.value('retouch_edits_total', { status: 'SUCCEEDED' })).toBe(2);
      expect(now.names).toContain('nodejs_gc_duration_seconds_sum');
      return now;
    });
  });
  afterAll(() => app?.stop());

  test.each(queries)('$name names only metrics and labels of a real scrape', ({ expr }) => {
    const { metrics, labels } = namedIn(expr);
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) {
      if (!OF_PROMETHEUS.metrics.includes(metric)) expect(scraped.names).toContain(metric);
    }
    for (const [metric, label] of labels) {
      if (OF_PROMETHEUS.labels.includes(label)) continue;
      expect([metric, ...scraped.labelsOf(metric)]).toContain(label);
    }
  });

  test('the variables of the dashboard are labels of a real scrape', () => {
    for (const { type, definition = '', query } of variables) {
      if (type === 'datasource') continue;
      expect(query).toEqual({ query: definition, refId: 'A' });
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      const { metrics } = namedIn(selector);
      for (const metric of metrics) expect(scraped.names).toContain(metric);
      expect(OF_PROMETHEUS.labels).toContain(label);
    }
  });

  test('a metric or a label that does not exist would be found', () => {
    const { metrics, labels } = namedIn('sum by (nothing) (rate(retouch_typo_total{x="y"}[5m]))');
    expect(metrics).toEqual(['retouch_typo_total']);
    expect(scraped.names).not.toContain('retouch_typo_total');
    expect(labels).toEqual([
      ['retouch_typo_total', 'nothing'],
      ['retouch_typo_total', 'x'],
    ]);
    expect(() => namedIn('sum(rate(x[5m])')).toThrow('not PromQL');
  });
});

describe('an alert', () => {
  test('has a name of its own', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  test.each(rules)(
    '$alert says how long, how bad, what, and where to read what to do',
    async (rule) => {
      expect(rule.for).toMatch(/^\d+[mh]$/);
      expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
      const { summary, runbook } = rule.annotations;
      const known = [...namedIn(rule.expr).labels.map(([, label]) => label), 'instance'];
      for (const [, label] of summary.matchAll(/\$labels\.(\w+)/g)) expect(known).toContain(label);
      const [path = '', anchor] = runbook.split('#');
      const page = await read(path);
      if (anchor !== undefined) expect(anchors(page)).toContain(anchor);
    },
  );
});

describe('the dashboard', () => {
  test('takes its data source and its processes from variables', () => {
    expect(variables.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const { type, datasource, title } of panels) {
      if (type !== 'row') expect([title, datasource?.uid]).toEqual([title, `\${datasource}`]);
    }
    for (const { name, expr } of queries.filter((one) => one.name.startsWith('panel'))) {
      for (const metric of namedIn(expr).metrics) {
        expect([name, expr]).toEqual([
          name,
          expect.stringContaining(`${metric}{job=~"$job", instance=~"$instance"`),
        ]);
      }
    }
  });

  test('has a row for each subject, and no two panels with one id', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Edits', 'Money', 'Queue', 'Upstreams', 'HTTP', 'Process']);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
