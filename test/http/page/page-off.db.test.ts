import { expect, onTestFinished, test } from 'vitest';
import { startAccessApp } from '../../support/access-app.ts';
import { startTestApp } from '../../support/app.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml' };

test('without the page, a browser gets what any client gets', async () => {
  const app = await startTestApp({ GRAPHIQL: 'false' });
  onTestFinished(() => app.stop());
  const get = (path: string) => fetch(app.url + path, { headers: BROWSER });
  const page = await get('/graphql');
  expect(page.status).toBeGreaterThanOrEqual(400);
  expect(await page.text()).not.toContain('<html');
  const asset = await get('/graphiql/assets/main-abc.js');
  expect([asset.status, (await asset.json()).errors[0].extensions.code]).toEqual([
    404,
    'NOT_FOUND',
  ]);
  const query = await get(`/graphql?query=${encodeURIComponent('{ viewer { id } }')}`);
  expect(await query.json()).toMatchObject({ errors: [{}] });
});

test('without the page, a browser without credentials gets 401', async () => {
  const { app, get } = await startAccessApp({ GRAPHIQL: 'false' });
  onTestFinished(() => app.stop());
  const page = await get('/graphql', BROWSER);
  expect([page.status, (await page.json()).errors[0].extensions.code]).toEqual([
    401,
    'UNAUTHENTICATED',
  ]);
  expect((await get('/graphiql/assets/main-abc.js', BROWSER)).status).toBe(404);
});
