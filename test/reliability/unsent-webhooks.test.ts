import { randomBytes } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { GraphqlClient } from '../support/graphql-client.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import {
  type Received,
  receiveWebhooks,
  verify,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts';
import { createStageTable } from './stage-table.ts';

const kind = inject('databaseKind');
/** See `src/webhooks/open-webhooks.ts`: deliveries that one process sends at once. */
const PLACES = 32;
const HANGING_ENDPOINTS = 8;
const EDITS = 4;

const CREATE = /* GraphQL */ `
  mutation Create($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      ... on CreateWebhookPayload { secret }
      ... on Error { message }
    }
  }
`;
const LOG = /* GraphQL */ `
  { webhooks { url deliveries(first: 50) { edges { node { messageId state attemptCount deliveredAt editJob { id } } } } } }
`;

interface Delivery {
  readonly url: string;
  readonly messageId: string;
  readonly state: string;
  readonly attemptCount: number;
  readonly deliveredMs: number;
  readonly jobId: string;
}

const neverAnswer = () => {};
/** The head of a 200 tells that it was taken; its body keeps it from being written down. */
const answerWithoutEnd: WebhookReceiver['otherwise'] = (res) =>
  res.writeHead(200, { 'content-length': 1 }).flushHeaders();

const startOnDefaults = () =>
  startRig({
    WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    SECRET_KEY: randomBytes(32).toString('base64'),
    WORKER_TIMEOUT_SECONDS: '30',
  });

/** Answers its secret. */
async function createWebhook(rig: Rig, url: string): Promise<string> {
  const events = ['EDIT_SUCCEEDED', 'EDIT_OUTCOME_UNKNOWN'];
  const { data } = await rig.query(CREATE, { input: { url, events } });
  return data.createWebhook.secret;
}

async function deliveries(client: GraphqlClient): Promise<Delivery[]> {
  const { data } = await client.query(LOG);
  return data.webhooks.flatMap((webhook: ReturnType<typeof JSON.parse>) =>
    webhook.deliveries.edges.map(({ node }: ReturnType<typeof JSON.parse>) => ({
      url: webhook.url,
      messageId: node.messageId,
      state: node.state,
      attemptCount: node.attemptCount,
      deliveredMs: Date.parse(node.deliveredAt),
      jobId: node.editJob.id,
    })),
  );
}

/** Waits until so many are delivered, and there are no others. */
const allDelivered = (client: GraphqlClient, count: number) =>
  eventually(
    async () => {
      const all = await deliveries(client);
      expect(all.map(({ state }) => state)).toEqual(Array(count).fill('DELIVERED'));
      return all;
    },
    { interval: 100 },
  );

function expectResent(messages: readonly Received[], secret: string, resumedMs: number): void {
  for (const message of messages) verify(message, secret);
  // Its links name the service's port, which is another one now.
  const bodies = messages.map(({ body }) => body.replaceAll(/127\.0\.0\.1:\d+/g, 'host'));
  expect(new Set(bodies).size).toBe(1);
  const last = Number(messages.at(-1)?.headers['webhook-timestamp']);
  expect(last).toBeGreaterThanOrEqual(Math.floor(resumedMs / 1_000));
}

const reachedBy = (id: string) => (message: Received) => message.headers['webhook-id'] === id;

/** By name. */
function countBy(names: readonly string[]): [name: string, count: number][] {
  const groups = Object.entries(Object.groupBy(names, (name) => name));
  return groups.map(([name, all = []]): [string, number] => [name, all.length]).sort();
}

describe.runIf(hasDatabase)('a webhook’s message', () => {
  test('arrives after a SIGKILL at any stage before its delivery was written down', async () => {
    const table = createStageTable(kind);
    const [hanging, answering, down] = [
      await receiveWebhooks(),
      await receiveWebhooks(),
      await receiveWebhooks(),
    ];
    hanging.otherwise = neverAnswer;
    answering.otherwise = answerWithoutEnd;
    await down.goDown();
    const receivers = [hanging, answering, down];
    const rig = await startOnDefaults();
    const urls = [
      ...Array.from({ length: HANGING_ENDPOINTS }, (_, i) => `${hanging.url}/${i}`),
      `${answering.url}/`,
      `${down.url}/`,
    ];
    const secrets = new Map<string, string>();
    for (const url of urls) secrets.set(url, await createWebhook(rig, url));
    await rig.sandbox.push({ kind: 'hang' });
    const out = await rig.submit('out');
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    const done = await Promise.all(Array.from({ length: EDITS }, (_, i) => rig.submit(`${i}`)));

    // At once: a message that nobody takes is given up after 15 s.
    await eventually(
      () =>
        expect(hanging.received.length + answering.received.length).toBeGreaterThanOrEqual(PLACES),
      { interval: 5 },
    );
    await rig.service.kill();
    const killedMs = Date.now();
    const before = receivers.map(({ received }) => received.length);
    for (const receiver of receivers) receiver.otherwise = 204;
    await down.comeBack();
    await rig.restart();
    const readyMs = Date.now();

    const all = await allDelivered(rig, urls.length * (EDITS + 1));
    const tookMs = Date.now() - readyMs;
    const stages: string[] = [];
    for (const { url, messageId, jobId, attemptCount, deliveredMs } of all) {
      const index = receivers.findIndex((one) => url.startsWith(`${one.url}/`));
      const { received = [] } = receivers[index] ?? {};
      const sent = received.slice(0, before[index]).filter(reachedBy(messageId));
      const resent = received.slice(before[index]).filter(reachedBy(messageId));
      if (deliveredMs < killedMs) {
        expect([index, resent]).toEqual([receivers.indexOf(answering), []]);
        continue;
      }
      expect(resent).toHaveLength(1);
      expectResent([...sent, ...resent], secrets.get(url) ?? '', killedMs);
      const status = jobId === out ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED';
      const { editJob } = JSON.parse(resent[0]?.body ?? '').data;
      expect(editJob).toMatchObject({ id: jobId, status });
      if (jobId === out) stages.push('not enqueued');
      else if (sent.length > 0) stages.push(index === 0 ? 'hanging' : 'answered');
      else stages.push(attemptCount > 1 ? 'receiver down' : 'not fetched');
    }
    const counts = countBy(stages);
    expect(counts.map(([stage]) => stage)).toEqual([
      'answered',
      'hanging',
      'not enqueued',
      'not fetched',
      'receiver down',
    ]);
    const text = counts.map(([stage, count]) => `${count} ${stage}`).join(', ');
    const seconds = (tookMs / 1_000).toFixed(1);
    const stage = `webhook unsent: ${text}; all delivered ${seconds} s after the restart`;
    await table.add(rig, stage, [...done, out], { paid: EDITS + 1 });
    table.print();
  });

  test.runIf(kind === 'postgres')(
    'that a killed process had out is sent by another that lives',
    async () => {
      const receiver = await receiveWebhooks();
      receiver.answers.push(neverAnswer);
      const rig = await startOnDefaults();
      const secret = await createWebhook(rig, receiver.url);
      const id = await rig.submit('told by another');
      await eventually(() => expect(receiver.received).toHaveLength(1));
      const second = await rig.startSecond();
      await rig.service.kill();
      const killedMs = Date.now();
      await allDelivered(second, 1);
      const tookMs = Date.now() - killedMs;
      expect(receiver.received).toHaveLength(2);
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expectResent(receiver.received, secret, killedMs);
      expect((await second.job(id)).status).toBe('SUCCEEDED');
      expect(await rig.paidFor('told by another')).toBe(1);
      process.stdout.write(`\nSent by another process ${(tookMs / 1_000).toFixed(1)} s after.\n`);
    },
  );
});
