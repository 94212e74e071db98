import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import OpenAI from 'openai';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import { startCountingProxy } from '../support/counting-proxy.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { editOf, openaiClient, rawEdit } from '../support/openai-client.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { connectTo } from '../support/sql-client.ts';

const kind = inject('databaseKind');

/** The edits of a rig's history, oldest first. */
async function history(rig: Rig): Promise<{ status: string; source: string }[]> {
  const { data } = await rig.query(
    '{ editJobs(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id status source } } }',
  );
  return data.editJobs.nodes;
}

/** After which nobody knows whether the call was billed. */
const UNKNOWN_OUTCOMES: Record<string, FaultInput> = {
  'a relay’s 500': { kind: 'status', status: 500 },
  'a proxy’s 502': { kind: 'status', status: 502, body: 'html' },
  'a connection that was cut before the response': { kind: 'reset' },
  'a response without an image': { kind: 'empty_data' },
};

/** Long enough for a client to give up. */
const LONG: FaultInput = { kind: 'delay', delayMs: 3_000 };

const paid = (rig: Rig, count: number) =>
  eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(count));

/** The service knows that a client did not get its response. */
const isLost = ({ service }: Rig) => service.line((line) => line.includes('client disconnected'));

/** An image arrived, of one edit that was paid once. */
async function expectOnePaid(rig: Rig): Promise<void> {
  expect(await history(rig)).toMatchObject([{ status: 'SUCCEEDED', source: 'OPENAI_API' }]);
  expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
}

describe.runIf(hasDatabase)('a client that repeats its request', () => {
  test('after its own timeout gets the image of the edit that it paid for', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const client = openaiClient(rig.service.url, { maxRetries: 2, timeout: 2_000 });
    const { data, response } = await client.images.edit(await editOf('timeout')).withResponse();
    expect(data.data?.[0]?.b64_json).toMatch(/^iVBOR/);
    expect(response.headers.get('x-retouch-attached')).toBe('true');
    await expectOnePaid(rig);
  });

  test('after its connection was cut before the upstream responded gets the image', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const proxy = await startCountingProxy(rig.service.url);
    onTestFinished(() => proxy.stop());
    const client = openaiClient(proxy.url, { maxRetries: 2 });
    const edited = client.images.edit(await editOf('cut')).asResponse();
    await paid(rig, 1);
    proxy.cut();
    expect((await edited).headers.get('x-retouch-attached')).toBe('true');
    await expectOnePaid(rig);
  });

  test('without saying so, after its connection was cut, gets the image', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'raw');
    await paid(rig, 1);
    first.cut();
    await isLost(rig);
    const { response } = await rawEdit(rig.service.url, 'raw');
    const { statusCode, headers } = await response;
    expect([statusCode, headers['x-retouch-attached']]).toEqual([200, 'true']);
    await expectOnePaid(rig);
  });

  test('after its connection was cut within the response gets the image', async () => {
    const rig = await startRig({}, { fixedOutputBytes: 8_000_000 });
    const first = await rawEdit(rig.service.url, 'half');
    const response = await first.response;
    await once(response, 'data');
    first.cut();
    await isLost(rig);
    const again = await (await rawEdit(rig.service.url, 'half')).response;
    const { data } = (await json(again)) as { data: { b64_json: string }[] };
    expect(again.headers['x-retouch-attached']).toBe('true');
    expect(Buffer.from(data[0]?.b64_json ?? '', 'base64').length).toBeGreaterThanOrEqual(8_000_000);
    await expectOnePaid(rig);
  });

  test('after the service was killed within the response gets the image', async () => {
    const rig = await startRig({}, { fixedOutputBytes: 8_000_000 });
    const response = await (await rawEdit(rig.service.url, 'killed')).response;
    await once(response, 'data');
    await rig.service.kill();
    await rig.restart();
    const again = await (await rawEdit(rig.service.url, 'killed')).response;
    expect([again.statusCode, again.headers['x-retouch-attached']]).toEqual([200, 'true']);
    await expectOnePaid(rig);
  });

  test('after the service was killed within the call gets an error, without a second POST', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'killed');
    await paid(rig, 1);
    await rig.service.kill();
    await expect(first.response).rejects.toThrow();
    await rig.restart();
    const again = await (await rawEdit(rig.service.url, 'killed')).response;
    expect([again.statusCode, again.headers['x-retouch-attached']]).toEqual([500, 'true']);
    expect(await history(rig)).toMatchObject([{ status: 'OUTCOME_UNKNOWN' }]);
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('after the edit ended while the service was away gets the image', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'drained');
    await paid(rig, 1);
    first.cut();
    // Within its grace, the edit ends.
    await rig.service.stop();
    await rig.restart();
    const { statusCode, headers } = await (await rawEdit(rig.service.url, 'drained')).response;
    expect([statusCode, headers['x-retouch-attached']]).toEqual([200, 'true']);
    await expectOnePaid(rig);
  });

  test('after a rate limit of the upstream gets the image of the same edit', async () => {
    const rig = await startRig();
    await rig.sandbox.push({ kind: 'rate_limit', retryAfter: 1 });
    const client = openaiClient(rig.service.url, { maxRetries: 2 });
    const { response } = await client.images.edit(await editOf('429')).withResponse();
    expect(response.status).toBe(200);
    expect(await history(rig)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 2, paid: 1 });
  });

  test('after a call with an unknown outcome gets the same error, without a second POST', async () => {
    const rig = await startRig({ EDITS_API_FIRST_HAND: 'false' });
    const client = openaiClient(rig.service.url);
    const repeat = async (prompt: string, retryCount: number | null) => {
      const headers = { 'x-stainless-retry-count': retryCount === null ? null : `${retryCount}` };
      const edited = client.images.edit(await editOf(prompt), { headers });
      const error: InstanceType<typeof OpenAI.APIError> = await edited.then(
        () => expect.unreachable(),
        (reason) => reason,
      );
      expect([prompt, error]).toEqual([prompt, expect.any(OpenAI.InternalServerError)]);
      const { status, code, type, message } = error;
      const [shouldRetry, attached] = ['x-should-retry', 'x-retouch-attached'].map((name) =>
        error.headers?.get(name),
      );
      return { error: { status, code, type, message, shouldRetry }, attached };
    };
    for (const [prompt, fault] of Object.entries(UNKNOWN_OUTCOMES)) {
      await rig.sandbox.push(fault);
      const first = await repeat(prompt, 0);
      expect([prompt, first]).toMatchObject([
        prompt,
        { error: { status: 502, shouldRetry: 'false' }, attached: null },
      ]);
      // Obeys no x-should-retry, and may not say that it repeats.
      for (const retryCount of [1, 2, null]) {
        expect(await repeat(prompt, retryCount)).toEqual({ ...first, attached: 'true' });
      }
    }
    const faults = Object.keys(UNKNOWN_OUTCOMES).length;
    expect(await history(rig)).toMatchObject(Array(faults).fill({ status: 'OUTCOME_UNKNOWN' }));
    expect((await rig.sandbox.stats()).requests).toBe(faults);
  });

  test('with a key gets the response of the first, and 422 for another input', async () => {
    const rig = await startRig();
    const client = openaiClient(rig.service.url);
    const headers = { 'idempotency-key': 'order-7' };
    const bodies: unknown[] = [];
    for (let i = 0; i < 3; i += 1)
      bodies.push(await client.images.edit(await editOf('key'), { headers }));
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    const other = client.images.edit(await editOf('another'), { headers });
    await expect(other).rejects.toThrow(OpenAI.UnprocessableEntityError);
    await expectOnePaid(rig);
  });

  test('of an edit that reached no upstream gets a new one, also with a key', async () => {
    const rig = await startRig({ MAX_EDIT_ATTEMPTS: '1', EDITS_API_URL: 'http://127.0.0.1:9/v1' });
    const keys: Record<string, string>[] = [{}, { 'idempotency-key': 'k' }];
    for (const more of keys) {
      const prompt = JSON.stringify(more);
      for (const retryCount of ['0', '1']) {
        const headers = { ...more, 'x-stainless-retry-count': retryCount };
        const { statusCode, headers: head } = await (
          await rawEdit(rig.service.url, prompt, headers)
        ).response;
        expect(statusCode).toBe(503);
        expect(Number(head['retry-after'])).toBeLessThanOrEqual(60);
        expect(head['x-should-retry']).toBeUndefined();
      }
    }
    expect((await history(rig)).map(({ status }) => status)).toEqual(Array(4).fill('FAILED'));
  });
});

describe.runIf(hasDatabase)('two equal requests on purpose', () => {
  test('at once are two edits, and so are two in turn', async () => {
    const rig = await startRig();
    const client = openaiClient(rig.service.url);
    const edit = async () => {
      const { response } = await client.images.edit(await editOf('twice')).withResponse();
      return response.headers.get('x-retouch-edit-id');
    };
    const ids = [...(await Promise.all([edit(), edit()])), await edit()];
    expect(new Set(ids).size).toBe(3);
    expect((await rig.sandbox.stats()).paid).toBe(3);
  });

  test('at once, each repeated after its timeout, get the image of an edit each', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG, LONG);
    const client = openaiClient(rig.service.url, { maxRetries: 2, timeout: 2_000 });
    const edit = async () => {
      const { response } = await client.images.edit(await editOf('both')).withResponse();
      return response.headers.get('x-retouch-edit-id');
    };
    const ids = await Promise.all([edit(), edit()]);
    expect(new Set(ids).size).toBe(2);
    expect((await rig.sandbox.stats()).paid).toBe(2);
  });

  test('of which one asks for a new edit are two edits, though a response was lost', async () => {
    const rig = await startRig();
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'new');
    await paid(rig, 1);
    first.cut();
    await isLost(rig);
    const { headers } = await (await rawEdit(rig.service.url, 'new', { 'x-retouch-new': 'true' }))
      .response;
    expect(headers['x-retouch-attached']).toBeUndefined();
    expect((await rig.sandbox.stats()).paid).toBe(2);
  });
});

describe.runIf(hasDatabase && kind === 'postgres')('of two processes, one', () => {
  test('gives a client the image that it asked the other for', async () => {
    const rig = await startRig();
    const second = await rig.startSecond();
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'other process');
    await paid(rig, 1);
    first.cut();
    const database = await connectTo(rig.env['DATABASE_URL']);
    onTestFinished(() => database.end());
    await eventually(async () => {
      const { rows } = await database.query('SELECT state FROM "EditResponse"');
      expect(rows).toEqual([{ state: 'LOST' }]);
    });
    const { statusCode, headers } = await (await rawEdit(second.url, 'other process')).response;
    expect([statusCode, headers['x-retouch-attached']]).toEqual([200, 'true']);
    await expectOnePaid(rig);
  });

  test('knows at once that the other was killed', async () => {
    const rig = await startRig({ ROLE: 'api' });
    const second = await rig.startSecond({ ROLE: 'all' });
    await rig.sandbox.push(LONG);
    const first = await rawEdit(rig.service.url, 'killed');
    await paid(rig, 1);
    await rig.service.kill();
    await expect(first.response).rejects.toThrow();
    const { statusCode, headers } = await (await rawEdit(second.url, 'killed')).response;
    expect([statusCode, headers['x-retouch-attached']]).toEqual([200, 'true']);
    expect((await rig.sandbox.stats()).paid).toBe(1);
  });
});
