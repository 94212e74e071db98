import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecretKey, createSecretKeys } from '../../../src/config/secret-key.ts';
import { createSignedImageRoute } from '../../../src/http/rest/signed-image-route.ts';
import { createImageLinks } from '../../../src/public-ids/image-links.ts';
import { send, serve } from '../../support/http.ts';

test('a wrong signature is rejected without a statement, whatever the method', async () => {
  const used: string[] = [];
  const route = createSignedImageRoute({
    imageLinks: createImageLinks({
      keys: createSecretKeys(createSecretKey(randomBytes(32))),
      lastingSeconds: 60,
    }),
    imageRoute: async (_, res) => {
      used.push('image');
      res.end();
    },
    availability: {
      check: async () => {
        used.push('database');
        return true;
      },
    },
  });
  const { url } = await serve((req, res) => {
    void route(req, res, 'SW1hZ2U6MQ').then((isServed) => isServed || res.writeHead(401).end());
  });
  for (const method of ['GET', 'HEAD', 'POST']) {
    const { status } = await send(`${url}/?expires=9999999999&signature=x`, { method });
    expect(status).toBe(403);
  }
  expect((await send(url)).status).toBe(401);
  expect(used).toEqual([]);
});
