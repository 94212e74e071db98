import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startForwardProxy } from '../support/forward-proxy.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';
import { receiveWebhooks } from '../support/webhook-receiver.ts';

const CREATE = /* GraphQL */ `
  mutation Create($url: String!) {
    createWebhook(input: { url: $url, events: [EDIT_SUCCEEDED] }) { __typename ... on Error { message } }
  }
`;

describe.runIf(hasDatabase)('with a proxy for outgoing requests', () => {
  test('edits, lists of models and webhooks go through it, and around it to hosts of NO_PROXY', async () => {
    const proxy = await startForwardProxy();
    const proxied = await receiveWebhooks();
    const direct = await receiveWebhooks();
    const app = await startTestApp({
      HTTP_PROXY: proxy.url,
      no_proxy: new URL(direct.url).host,
      WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
      SECRET_KEY: randomBytes(32).toString('base64'),
    });
    onTestFinished(() => app.stop());
    for (const { url } of [proxied, direct]) {
      const { data } = await app.query(CREATE, { url: `${url}/hook` });
      expect(data.createWebhook).toEqual({ __typename: 'CreateWebhookPayload' });
    }

    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'a hat' } },
      { 'input.images.0.file': await png() },
    );
    expect(data.editImage.editJob.status).toBe('SUCCEEDED');
    await eventually(() => {
      for (const { received } of [proxied, direct]) expect(received).toHaveLength(1);
    });
    const { url } = await app.sandbox.start();
    await eventually(() =>
      expect(proxy.asked.toSorted()).toEqual(
        [`GET ${url}/models`, `POST ${url}/images/edits`, `POST ${proxied.url}/hook`].toSorted(),
      ),
    );
    expect(app.sandbox.stats().paid).toBe(1);
  });
});
