import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { startService } from '../support/processes.ts';
import { startRig } from '../support/service-processes.ts';
import { type Results, SSE, WS } from '../support/subscriptions.ts';
import { receiveWebhooks, verify } from '../support/webhook-receiver.ts';

const API = { ROLE: 'api' };
const WORKER = { ROLE: 'worker' };

const WATCH = /* GraphQL */ `
  subscription Watch($id: ID!) {
    editJob(id: $id) {
      __typename
      editJob { status outputImages { id } }
      ... on EditJobPartialImageReceived { index image { url } }
    }
  }
`;
const UPSTREAMS = '{ upstreams { name state reason } }';

async function eventsOf(results: Results) {
  const events = [];
  for await (const { data, errors } of results) {
    expect(errors).toBeUndefined();
    events.push(data.editJob);
  }
  return events;
}

const json = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
};

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')(
  'processes with a role each, on one Postgres',
  () => {
    test('run in a worker what one API takes in, and show it live and by HTTP at another', async () => {
      const rig = await startRig(API, { delayMs: 500 });
      const other = await rig.startSecond(API);
      const id = await rig.submit('watched', { partialImages: 3 });
      const watching = [SSE, WS].map(({ subscribe }) => subscribe(other.url, WATCH, { id }));
      for (const results of watching) {
        const { value } = await results.next();
        const editJob = { status: 'QUEUED', outputImages: [] };
        expect(value.data.editJob).toMatchObject({ __typename: 'EditJobSnapshot', editJob });
      }
      await rig.startSecond(WORKER);

      for (const events of await Promise.all(watching.map(eventsOf))) {
        expect(events.at(-1)).toMatchObject({
          __typename: 'EditJobChanged',
          editJob: { status: 'SUCCEEDED' },
        });
        const partials = events.filter(
          ({ __typename }) => __typename === 'EditJobPartialImageReceived',
        );
        expect(partials.map(({ index }) => index)).toEqual([0, 1, 2]);
        for (const { image } of partials) {
          expect(image.url).toMatch(new RegExp(`^${other.url}/images/`));
          expect((await fetch(image.url)).headers.get('content-type')).toBe('image/png');
        }
      }
      const job = await rig.final(id);
      const [output] = job.outputImages;
      for (const { url } of [rig.service, other]) {
        for (const query of ['', '?w=256']) {
          const path = new URL(output.url).pathname;
          const image = await fetch(`${url}${path}${query}`);
          expect(image.status).toBe(200);
          expect((await image.arrayBuffer()).byteLength).toBeGreaterThan(0);
        }
      }
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    });

    test('leave an edit queued while there are APIs alone, and run it once there is a worker', async () => {
      const rig = await startRig(API);
      const input = { images: [{ id: rig.imageId }], prompt: 'patient', wait: 3 };
      const { editJob } = await rig.edit(input);
      expect(editJob).toMatchObject({ status: 'QUEUED', attempts: [] });
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 0 });
      await rig.startSecond(WORKER);
      expect(await rig.final(editJob.id)).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('abort in the worker what is canceled at an API, and take the next edit in its place', async () => {
      const rig = await startRig({ ...API, MAX_CONCURRENT_EDITS: '1' });
      const worker = await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'hang' });
      const id = await rig.submit('hanging');
      await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
      const next = await rig.submit('next');
      const cancel = 'mutation($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }';
      await rig.query(cancel, { id });
      await worker.line((line) =>
        line.includes('discarded the failure of an attempt: the edit had already ended'),
      );
      expect(await rig.final(next)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await rig.final(id)).toMatchObject({
        status: 'CANCELED',
        attempts: [{ state: 'UNKNOWN' }],
      });
    });

    test('tell of their health as their role asks, and a worker serves nothing else', async () => {
      const rig = await startRig(API);
      const worker = await rig.startSecond({ ...WORKER, PUBLIC_URL: 'https://retouch.example' });
      const ready = { status: 'ready', database: true, storage: true };
      expect(await json(`${rig.service.url}/health/ready`)).toEqual({ status: 200, body: ready });
      expect(await json(`${worker.url}/health/ready`)).toEqual({
        status: 200,
        body: { ...ready, queue: true },
      });
      expect((await fetch(`${worker.url}/health/live`)).status).toBe(200);
      for (const path of ['/', '/graphql', `/images/${rig.imageId}`, '/health/other']) {
        const { status, body } = await json(`${worker.url}${path}`);
        expect(status).toBe(404);
        expect(body.errors[0]).toMatchObject({
          message: expect.stringContaining('ROLE=worker'),
          extensions: { code: 'NOT_FOUND' },
        });
      }
      const socket = new WebSocket(`${worker.url.replace('http', 'ws')}/graphql`);
      onTestFinished(() => socket.terminate());
      socket.on('error', () => {});
      const [, response] = await once(socket, 'unexpected-response');
      expect(response.statusCode).toBe(404);
    });

    test('show a pause at every API, and end it from any', async () => {
      const rig = await startRig(API);
      await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'quota' });
      const failed = await rig.submit('no credit');
      expect(await rig.final(failed)).toMatchObject({ error: { code: 'INSUFFICIENT_QUOTA' } });
      await eventually(async () =>
        expect((await rig.query(UPSTREAMS)).data.upstreams).toMatchObject([
          { name: 'default', state: 'PAUSED', reason: expect.any(String) },
        ]),
      );
      const waiting = await rig.submit('topped up');
      await rig.query('mutation { resumeUpstream(input: { name: "default" }) { __typename } }');
      expect((await rig.query(UPSTREAMS)).data.upstreams).toEqual([
        { name: 'default', state: 'READY', reason: null },
      ]);
      expect(await rig.final(waiting)).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('call sandbox what was made by it, whatever the API was told of edits APIs', async () => {
      const rig = await startRig({ ...API, EDITS_API_URL: '', EDITS_API_KEY: '' });
      const { url } = rig.sandbox;
      await rig.startSecond({ ...WORKER, EDITS_API_URL: url, EDITS_API_KEY: 'sk-real' });
      expect((await rig.query(UPSTREAMS)).data.upstreams).toMatchObject([{ name: 'sandbox' }]);
      expect(await rig.final(await rig.submit('paid'))).toMatchObject({
        status: 'SUCCEEDED',
        sandbox: false,
      });
    });

    test('deliver webhooks from a worker, with links to where the images are served', async () => {
      const SECRET_KEY = randomBytes(32).toString('base64');
      const rig = await startRig({ ...API, SECRET_KEY, WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' });
      const receiver = await receiveWebhooks();
      const { data } = await rig.query(
        'mutation($url: String!) { createWebhook(input: { url: $url, events: [EDIT_SUCCEEDED] }) { ... on CreateWebhookPayload { secret } } }',
        { url: receiver.url },
      );
      await rig.startSecond({ ...WORKER, PUBLIC_URL: rig.service.url });
      const id = await rig.submit('told');
      await eventually(() => expect(receiver.received).toHaveLength(1));
      const [received] = receiver.received;
      if (received === undefined) throw new Error('nothing received');
      const { editJob } = verify(received, data.createWebhook.secret).data;
      expect(editJob).toMatchObject({ id, status: 'SUCCEEDED' });
      const [{ url }] = editJob.outputImages;
      expect(url).toMatch(new RegExp(`^${rig.service.url}/images/`));
      expect((await fetch(url)).status).toBe(200);
    });

    test('become ready when four of them start at once on an empty database', async () => {
      const database = await createTestDatabase({ isMigrated: false });
      onTestFinished(() => database.drop());
      const started = await Promise.all(
        [API, API, WORKER, WORKER].map(async (role) => {
          const service = await startService({ ...database.env, ...role, SANDBOX_DELAY_MS: '0' });
          onTestFinished(() => service.kill());
          return service;
        }),
      );
      for (const { url } of started) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      const [first, second] = started.map(({ url }) => createGraphqlClient(() => url));
      const { data } = (await first?.query('{ models { id } }')) ?? {};
      expect(data.models).not.toEqual([]);
      expect((await second?.query('{ editJobs { totalCount } }'))?.data).toEqual({
        editJobs: { totalCount: 0 },
      });
    });
  },
);
