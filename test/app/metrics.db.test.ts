import { request } from 'node:http';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { ADMIN, startAccessApp } from '../support/access-app.ts';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { SCHEMA } from '../support/hostile-role.ts';
import { setLimit } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { type Scrape, scrape } from '../support/scrape.ts';
import { png } from '../support/test-images.ts';
import { receiveWebhooks } from '../support/webhook-receiver.ts';

const ON = {
  METRICS_PORT: '0',
  DEFAULT_MODEL: 'gpt-image-1',
  WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
  SECRET_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64'),
};
const isPostgres = inject('databaseKind') === 'postgres';

describe.runIf(hasDatabase)('the metrics', { timeout: 120_000 }, () => {
  let app: TestApp;

  beforeEach(async () => {
    app = await startTestApp(ON, NO_DRAWING);
  });
  afterEach(() => app?.stop());

  const now = () => scrape(app.metricsUrl);
  async function edit(prompt: string, input: object = {}) {
    const variables = { input: { images: [{ file: null }], prompt, wait: 60, ...input } };
    const { data } = await app.upload(EDIT, variables, { 'input.images.0.file': await png() });
    return data.editImage;
  }
  const eventuallyNow = (check: (scraped: Scrape) => void) =>
    eventually(async () => check(await now()), { interval: 200 });

  test('of an edit are what its job says, once', async () => {
    const { editJob } = await edit('brighter');
    const job = { model: 'gpt-image-1', upstream: 'default' };
    const scraped = await now();
    expect(scraped.value('retouch_edits_total', { status: 'SUCCEEDED', ...job })).toBe(1);
    expect(scraped.value('retouch_edits_total')).toBe(1);
    expect(scraped.value('retouch_edit_duration_seconds_count', job)).toBe(1);
    expect(scraped.value('retouch_edit_duration_seconds_sum', job)).toBe(
      editJob.durationMs / 1_000,
    );
    expect(scraped.value('retouch_edit_wait_seconds_count')).toBe(1);
    const { inputTokensDetails, outputTokens, totalTokens } = editJob.usage;
    const tokens = (kind: string) => scraped.value('retouch_tokens_total', { kind, ...job });
    expect(tokens('text_input')).toBe(inputTokensDetails.textTokens);
    expect(tokens('image_input')).toBe(inputTokensDetails.imageTokens);
    expect(tokens('image_output')).toBe(outputTokens);
    expect(scraped.value('retouch_tokens_total')).toBe(totalTokens);
    expect(Number(editJob.cost.amount)).toBeGreaterThan(0);
    expect(scraped.value('retouch_cost_usd_total', job)).toBeCloseTo(Number(editJob.cost.amount));
    expect(scraped.value('retouch_upstream_calls_total', { result: 'OK' })).toBe(1);
    expect(scraped.value('retouch_uploads_total')).toBe(1);
    expect(scraped.value('retouch_upload_bytes_total')).toBe(editJob.inputImages[0].bytes);
    expect(scraped.value('retouch_http_requests_total', { route: 'graphql', status: '2xx' })).toBe(
      1,
    );
    expect(scraped.value('retouch_http_request_duration_seconds_count', { route: 'graphql' })).toBe(
      1,
    );
  });

  test('tell how edits ended, by status, and which outcomes are unknown', async () => {
    app.sandbox.faults.push({ kind: 'moderation' }, { kind: 'truncate' }, { kind: 'no_usage' });
    await edit('a');
    await edit('b');
    await edit('c');
    await eventuallyNow((scraped) => {
      const ended = (status: string) => scraped.value('retouch_edits_total', { status });
      expect([ended('FAILED'), ended('OUTCOME_UNKNOWN'), ended('SUCCEEDED')]).toEqual([1, 1, 1]);
      expect(scraped.value('retouch_unknown_outcomes')).toBe(1);
      expect(scraped.value('retouch_edits_unpriced_total')).toBe(1);
      const result = 'MODERATION_BLOCKED';
      expect(scraped.value('retouch_upstream_calls_total', { result })).toBe(1);
    });
    app.sandbox.faults.push({ kind: 'hang' });
    const { editJob } = await edit('d', { wait: 0 });
    await eventuallyNow((scraped) =>
      expect(scraped.value('retouch_edits_open', { status: 'RUNNING' })).toBe(1),
    );
    const cancel = 'mutation($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }';
    await app.query(cancel, { id: editJob.id });
    await app.query(cancel, { id: editJob.id });
    await eventuallyNow((scraped) => {
      expect(scraped.value('retouch_edits_total', { status: 'CANCELED' })).toBe(1);
      expect(scraped.value('retouch_edits_open', { status: 'RUNNING' })).toBe(0);
    });
  });

  test('tell of a paused upstream, and of the edits that wait for it', async () => {
    app.sandbox.faults.push({ kind: 'quota' });
    await edit('a');
    await edit('b', { wait: 0 });
    await eventuallyNow((scraped) => {
      expect(scraped.value('retouch_upstream_paused', { upstream: 'default' })).toBe(1);
      expect(scraped.value('retouch_edits_open', { status: 'QUEUED' })).toBe(1);
      expect(scraped.value('retouch_edits_oldest_queued_age_seconds')).toBeGreaterThan(0);
      expect(scraped.value('retouch_queue_ready_jobs', { queue: 'run-edit' })).toBe(1);
      const queue = { queue: 'run-edit' };
      expect(scraped.value('retouch_queue_oldest_ready_age_seconds', queue)).toBeGreaterThan(0);
    });
  });

  test('tell of an open circuit', async () => {
    const { upstream } = { upstream: 'default' };
    expect((await now()).value('retouch_upstream_circuit_open', { upstream })).toBe(0);
    app.sandbox.faults.push(
      ...Array.from({ length: 5 }, () => ({ kind: 'status', status: 500 }) as const),
    );
    for (let i = 0; i < 5; i++) await edit(`p${i}`);
    expect((await now()).value('retouch_upstream_circuit_open', { upstream })).toBe(1);
  });

  test('count deliveries of webhooks by their result', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(204, 500, 410);
    const input = { url: receiver.url, events: ['EDIT_SUCCEEDED'] };
    await app.query(
      'mutation($input: CreateWebhookInput!) { createWebhook(input: $input) { __typename } }',
      { input },
    );
    await edit('a');
    const result = (scraped: Scrape, name: string) =>
      scraped.value('retouch_webhook_attempts_total', { result: name });
    await eventuallyNow((scraped) => expect(result(scraped, 'delivered')).toBe(1));
    await edit('b');
    await eventuallyNow((scraped) => {
      expect(result(scraped, 'retried')).toBe(1);
      expect(scraped.value('retouch_webhook_deliveries_pending')).toBe(1);
    });
    await edit('c');
    await eventuallyNow((scraped) => expect(result(scraped, 'failed')).toBe(1));
  });

  test('count what is rejected, by the limit, the problem and the code', async () => {
    await setLimit(app, { measure: 'EDITS', amount: '1', window: 'DAY' });
    await edit('a');
    expect((await edit('b')).__typename).toBe('LimitExceededError');
    const variables = { input: { images: [{ file: null }], prompt: 'p' } };
    const files = { 'input.images.0.file': Buffer.from('not an image') };
    await app.upload(EDIT, variables, files);
    await app.query('{ nothing }');
    const scraped = await now();
    expect(scraped.value('retouch_rejections_total', { limit: 'EDITS' })).toBe(1);
    const code = 'UNSUPPORTED_FORMAT';
    expect(scraped.value('retouch_uploads_rejected_total', { code })).toBe(1);
    const { value } = scraped;
    expect(value('retouch_graphql_errors_total', { code: 'GRAPHQL_VALIDATION_FAILED' })).toBe(1);
  });

  test('have the rows of the table, those of Node, and no other', async () => {
    const { text, value } = await now();
    const typed = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [
      name,
      type,
    ]);
    const own = typed.filter(([name]) => name?.startsWith('retouch_'));
    const rows = Object.entries(METRICS).map(([name, { type }]) => [name, type]);
    expect(own.toSorted()).toEqual(rows.toSorted());
    expect(value('nodejs_eventloop_lag_p99_seconds')).not.toBeNull();
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(value('process_open_fds')).toBeGreaterThan(0);
    expect(value('retouch_build_info', { role: 'all' })).toBe(1);
  });

  test('are served on their own port at /metrics only, to loopback names', async () => {
    const url = new URL(app.metricsUrl ?? '');
    expect(url.hostname).toBe('127.0.0.1');
    expect((await fetch(url)).headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    for (const path of ['/', '/graphql', '/health/live', '/metrics/x']) {
      expect([path, (await fetch(new URL(path, url))).status]).toEqual([path, 404]);
    }
    const status = (host: string) =>
      new Promise((resolve, reject) => {
        const req = request(url, { headers: { host } }, (res) => {
          res.resume();
          resolve(res.statusCode);
        });
        req.on('error', reject).end();
      });
    expect(await status('evil.example:1')).toBe(403);
    expect(await status(`localhost:${url.port}`)).toBe(200);
    expect((await fetch(new URL('/metrics', app.url))).status).toBe(404);
  });

  test.runIf(isPostgres)('are there without the database, but for its own', async () => {
    const url = new URL(inject('postgresUrl') ?? '');
    url.pathname = new URL(app.databaseUrl ?? '').pathname;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      expect((await now()).value('retouch_database_up')).toBe(1);
      await client.query(`ALTER TABLE ${SCHEMA}."EditJob" RENAME TO "Away"`);
      await eventuallyNow((scraped) => {
        expect(scraped.value('retouch_database_up')).toBe(0);
        expect(scraped.value('retouch_edits_open')).toBeNull();
        expect(scraped.value('retouch_uploads_total')).toBe(0);
      });
      await client.query(`ALTER TABLE ${SCHEMA}."Away" RENAME TO "EditJob"`);
      await eventuallyNow((scraped) => expect(scraped.value('retouch_database_up')).toBe(1));
    } finally {
      await client.end();
    }
  });

  test.runIf(isPostgres)(
    'of two processes count each its own, and tell the same of the database',
    async () => {
      const worker = await app.startAnother({ ROLE: 'worker', PUBLIC_URL: app.url });
      const api = await app.startAnother({ ROLE: 'api' });
      for (let i = 0; i < 12; i++) await edit(`p${i}`, { wait: 60 });
      await eventually(async () => {
        const [all, ofWorker, ofApi] = await Promise.all(
          [app, worker, api].map(({ metricsUrl }) => scrape(metricsUrl)),
        );
        const ended = [all, ofWorker, ofApi].map((it) => it?.value('retouch_edits_total') ?? 0);
        expect(ended.reduce((sum, count) => sum + count)).toBe(12);
        expect(ended[2]).toBe(0);
        expect(ofWorker?.value('retouch_build_info', { role: 'worker' })).toBe(1);
        expect(ofWorker?.value('retouch_upstream_circuit_open')).toBe(0);
        expect(ofApi?.value('retouch_upstream_circuit_open')).toBeNull();
        for (const one of [all, ofWorker, ofApi]) {
          expect(one?.value('retouch_edits_open', { status: 'QUEUED' })).toBe(0);
          expect(one?.value('retouch_upstream_paused')).toBe(0);
        }
      });
    },
  );
});

describe.runIf(hasDatabase)('the metrics of a service with owners', () => {
  test('have no id, owner, key, prompt, metadata or secret', async () => {
    const access = await startAccessApp({ ...ON, EDITS_API_KEY: 'sk-test-canary' });
    try {
      const { id, key } = await access.createKey({ ownerId: 'canary-owner' });
      const edited = await access.edit({ 'x-api-key': key }, 'canary-prompt', {
        metadata: { 'canary-field': 'canary-value' },
        idempotencyKey: 'canary-idempotency',
      });
      await access.query({ 'x-api-key': 'canary-wrong-key' }, '{ viewer { id } }');
      await access.query(ADMIN, '{ canaryField }');
      const { text, value } = await scrape(access.app.metricsUrl);
      expect(value('retouch_edits_total')).toBe(1);
      expect(text).not.toContain('canary');
      expect(text).not.toContain(key);
      expect(text).not.toContain(id);
      expect(edited.job.status).toBe('SUCCEEDED');
      expect(text).not.toMatch(/[\da-f]{8}-[\da-f]{4}-/);
    } finally {
      await access.app.stop();
    }
  });
});
