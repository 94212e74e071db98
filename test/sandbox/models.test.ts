import { expect, test } from 'vitest';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { useSandbox } from './support.ts';

const open = useSandbox();
const control = (url: string) => `${new URL(url).origin}/sandbox/models`;
const set = (url: string, models: unknown, headers = { 'content-type': 'application/json' }) =>
  fetch(control(url), { method: 'PUT', headers, body: JSON.stringify(models) });

test('the official client lists the models that the sandbox knows, and gets each', async () => {
  const { openai } = await open();
  const { data } = await openai.models.list();
  expect(data.map(({ id }) => id)).toEqual([...CATALOGUE.keys()]);
  const [first] = data;
  expect(first).toEqual({
    id: 'gpt-image-1',
    object: 'model',
    created: expect.any(Number),
    owned_by: 'system',
    shutdown_date: '2026-10-23',
  });
  expect(await openai.models.retrieve('gpt-image-1')).toEqual(first);
});

test('an unknown model is rejected as the API does', async () => {
  const { openai } = await open();
  await expect(openai.models.retrieve('nobody/knows')).rejects.toMatchObject({
    status: 404,
    error: {
      message: "The model 'nobody/knows' does not exist",
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    },
  });
});

test('the list needs the key', async () => {
  const { url } = await open({ apiKey: 'sk-right' });
  const ask = (headers: Record<string, string>) => fetch(`${url}/models`, { headers });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ authorization: 'Bearer sk-wrong' })).status).toBe(401);
  expect((await ask({ authorization: 'Bearer sk-right' })).status).toBe(200);
});

test('the list is no edit: it is not counted, and takes no fault', async () => {
  const { openai, sandbox } = await open();
  sandbox.faults.push({ kind: 'auth' });
  await openai.models.list();
  expect(sandbox.stats()).toMatchObject({ requests: 0, paid: 0, faults: 0, queuedFaults: 1 });
});

test('another process sets the list, with any fields, and resets it', async () => {
  const { openai, url } = await open();
  await set(url, [{ id: 'a/b', shutdown_date: 1 }]);
  expect((await openai.models.list()).data).toEqual([
    { id: 'a/b', object: 'model', shutdown_date: 1 },
  ]);
  expect(await openai.models.retrieve('a/b')).toMatchObject({ id: 'a/b' });
  await fetch(control(url), { method: 'DELETE' });
  expect((await openai.models.list()).data).toHaveLength(CATALOGUE.size);
});

test('a list that is not valid, or that a page of another origin could send, changes nothing', async () => {
  const { openai, url } = await open();
  expect((await set(url, [{ id: 1 }])).status).toBe(400);
  expect((await set(url, [], { 'content-type': 'text/plain' })).status).toBe(400);
  expect((await openai.models.list()).data).toHaveLength(CATALOGUE.size);
});
