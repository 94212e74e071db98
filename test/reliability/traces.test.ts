import { fileURLToPath } from 'node:url';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { startRig } from '../support/service-processes.ts';
import { png } from '../support/test-images.ts';
import { startTraceCollector } from '../support/trace-collector.ts';

const LOADED = `--import=${new URL('../../deploy/opentelemetry/traces.mjs', import.meta.url).href}`;
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const PROMPT = 'the secret of the lighthouse';
const isShared = inject('databaseKind') === 'postgres';

const EDIT = /* GraphQL */ `
  mutation Brighten($input: EditImageInput!) {
    editImage(input: $input) { ... on EditImagePayload { editJob { id status } } }
  }
`;

async function openCollector() {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.close());
  return collector;
}

async function openUpstream() {
  const upstream = await startFakeUpstream();
  onTestFinished(() => upstream.close());
  return upstream;
}

async function post(url: string, input: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: EDIT, variables: { input } }),
  });
  return (await response.json()) as { data: { editImage: { editJob: { id: string } } } };
}

describe.runIf(hasDatabase)('with the SDK of OpenTelemetry', () => {
  test('one trace has the request, the wait, the POST, the images and the end of an edit, over all processes', async () => {
    const [collector, upstream] = [await openCollector(), await openUpstream()];
    const image = (await png()).toString('base64');
    let forwarded: string | undefined;
    upstream.reply = (res, { req }) => {
      forwarded = req.headers['traceparent'] as string | undefined;
      const usage = { total_tokens: 30, input_tokens: 20, output_tokens: 10 };
      res.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'req-7' });
      res.end(JSON.stringify({ created: 1, data: [{ b64_json: image }], usage }));
    };
    const NODE_OPTIONS = LOADED;
    const rig = await startRig({
      EDITS_API_URL: upstream.url,
      NODE_OPTIONS,
      ...collector.env('retouch-api'),
      ...(isShared && { ROLE: 'api' }),
    });
    if (isShared) await rig.startSecond({ ROLE: 'worker', ...collector.env('retouch-worker') });

    const images = [{ id: rig.imageId }];
    const input = { images, prompt: PROMPT, model: 'gpt-image-2' };
    const answer = await post(rig.service.url, input, { traceparent: CALLER });
    const { id } = answer.data.editImage.editJob;
    const names = [
      'POST /graphql',
      'submit edit',
      'wait in queue',
      'run edit',
      'edit_image gpt-image-2',
      'store images',
      'end edit',
    ];
    const spans = await eventually(async () => {
      const all = collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
      expect(all.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      return new Map(all.map((span) => [span.name, span]));
    });

    const parentOf = (name: string) => {
      const parent = spans.get(name)?.parentSpanId;
      return [...spans.values()].find(({ spanId }) => spanId === parent)?.name ?? parent;
    };
    expect(Object.fromEntries(names.map((name) => [name, parentOf(name)]))).toEqual({
      'POST /graphql': 'b7ad6b7169203331',
      'submit edit': 'POST /graphql',
      'wait in queue': 'submit edit',
      'run edit': 'submit edit',
      'edit_image gpt-image-2': 'run edit',
      'store images': 'run edit',
      'end edit': 'run edit',
    });
    expect(spans.get('POST /graphql')?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'graphql.operation.type': 'mutation',
      'graphql.operation.name': 'Brighten',
    });
    expect(spans.get('run edit')?.attributes).toMatchObject({
      'retouch.edit.id': id,
      'retouch.edit.attempt': 1,
      'retouch.upstream': 'default',
    });
    expect(spans.get('edit_image gpt-image-2')).toMatchObject({
      kind: 3,
      failed: false,
      attributes: {
        'gen_ai.operation.name': 'edit_image',
        'gen_ai.provider.name': '127.0.0.1',
        'gen_ai.request.model': 'gpt-image-2',
        'gen_ai.usage.input_tokens': 20,
        'gen_ai.usage.output_tokens': 10,
        'http.response.status_code': 200,
        'retouch.upstream.request_id': 'req-7',
      },
    });
    const [waited, ran] = [spans.get('wait in queue'), spans.get('run edit')];
    expect(waited?.endMs).toBeLessThanOrEqual(ran?.endMs ?? 0);
    const { spanId } = spans.get('edit_image gpt-image-2') ?? {};
    expect(forwarded).toBe(`00-${TRACE_ID}-${spanId}-01`);
    const services = ['POST /graphql', 'run edit'].map((name) => spans.get(name)?.service);
    expect(services).toEqual(
      isShared ? ['retouch-api', 'retouch-worker'] : ['retouch-api', 'retouch-api'],
    );
    for (const secret of [PROMPT, 'lighthouse', image.slice(0, 40), 'sk-test-canary']) {
      expect(collector.text()).not.toContain(secret);
    }
  });

  test('a failed call is a failed span with the code of its error, and no message of the upstream', async () => {
    const [collector, upstream] = [await openCollector(), await openUpstream()];
    upstream.reply = (res) => {
      const error = { message: 'about sk-test-canary', code: 'moderation_blocked' };
      res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    };
    const rig = await startRig({
      EDITS_API_URL: upstream.url,
      NODE_OPTIONS: LOADED,
      ...collector.env('retouch'),
    });
    await post(rig.service.url, { images: [{ id: rig.imageId }], prompt: 'a cat' });
    await eventually(async () => {
      const call = collector.spans.find(({ name }) => name.startsWith('edit_image'));
      expect(call).toMatchObject({
        failed: true,
        attributes: { 'error.type': 'MODERATION_BLOCKED' },
      });
      expect(collector.spans.map(({ name }) => name)).toContain('end edit');
    });
    expect(collector.text()).not.toContain('canary');
  });

  test('what was recorded before a shutdown is sent before the process ends', async () => {
    const collector = await openCollector();
    const rig = await startRig({
      NODE_OPTIONS: LOADED,
      ...collector.env('retouch'),
      OTEL_BSP_SCHEDULE_DELAY: '3600000',
    });
    await rig.final(await rig.submit('a dog'));
    expect(collector.spans).toEqual([]);
    rig.service.child.kill('SIGTERM');
    expect(await rig.service.exited).toBe(0);
    expect(collector.spans.map(({ name }) => name)).toContain('end edit');
  });
});

test.runIf(hasDatabase)('without an SDK, the API of OpenTelemetry is not loaded', async () => {
  const path = fileURLToPath(import.meta.resolve('@opentelemetry/api'));
  expect(path).toContain('@opentelemetry');
  const { openTraces } = await import('../../src/telemetry/traces.ts');
  expect((await openTraces()).isOn).toBe(false);
});
