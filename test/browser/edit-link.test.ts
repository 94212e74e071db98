import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { freePorts } from '../support/nginx.ts';
import { DEVICES, hasBrowser, openPage, showPanel } from '../support/open-page.ts';
import { editOf, openaiClient } from '../support/openai-client.ts';

/** As many as the panel loads at first. */
const RECENT = 24;

describe.skipIf(!hasBrowser)('the link of an edit', () => {
  test.each(DEVICES)(
    'opens it on a first visit, until the visitor wants all edits, %s',
    async (_, device) => {
      const { app, openFresh } = await openPage(device);
      const { search } = await linkOf(app, 'by a link');
      const page = await openFresh(device, `${search}&other=1`);
      const detail = page.getByRole('region', { name: 'Edit', exact: true });
      await detail.getByText('by a link').waitFor();
      await detail.getByText('OpenAI API').waitFor();
      expect(searchOf(page)).toBe(`${search}&other=1`);
      await page.getByRole('button', { name: 'All edits' }).click();
      await page.getByRole('button', { name: /by a link/ }).waitFor();
      expect(searchOf(page)).toBe('?other=1');
    },
  );

  test('opens it below a path prefix', async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/retouch`;
    const { app, page, proxy } = await openPage({}, { PORT: String(port), PUBLIC_URL: url });
    const { href, search } = await linkOf(app, 'below a prefix');
    expect(href).toBe(`${url}/graphql${search}`);
    await page.goto(`${proxy.url}/retouch/graphql${search}`);
    await page.locator('.retouch-detail').getByText('below a prefix').waitFor();
  });

  test('opens one that is not among the newest, where the panel was closed', async () => {
    const { app, proxy, page } = await openPage();
    const { search } = await linkOf(app, 'the oldest');
    for (let edit = 0; edit < RECENT; edit += 1) await linkOf(app, `number ${edit}`);
    await showPanel(page, 'Edits');
    await page.getByRole('button', { name: 'Hide Edits' }).click();
    await page.goto(`${proxy.url}/graphql${search}`);
    await page.locator('.retouch-detail').getByText('the oldest').waitFor();
    await page.getByRole('button', { name: 'All edits' }).click();
    await page.getByRole('button', { name: 'Earlier edits' }).waitFor();
    expect(await page.getByRole('button', { name: /the oldest/ }).count()).toBe(0);
  });

  test('of no edit says so above all edits, until one is opened', async () => {
    const { app, proxy, page } = await openPage();
    const { search } = await linkOf(app, 'the only one');
    const absent = page.getByText('The edit of this link does not exist, or is not yours.');
    const { data } = await app.query('{ editJobs(first: 1) { nodes { id inputImages { id } } } }');
    const [{ id, inputImages }] = data.editJobs.nodes;
    for (const wrong of [inputImages[0].id, 'nonsense', btoa(`EditJob:${crypto.randomUUID()}`)]) {
      await page.goto(`${proxy.url}/graphql?edit=${encodeURIComponent(wrong)}`);
      await absent.waitFor();
      await page.getByRole('button', { name: /the only one/ }).waitFor();
    }
    await page.getByRole('button', { name: /the only one/ }).click();
    await page.locator('.retouch-detail').waitFor();
    expect(await absent.count()).toBe(0);
    expect(searchOf(page)).toBe('');

    await page.goto(`${proxy.url}/graphql${search}`);
    await page.locator('.retouch-detail').waitFor();
    await app.query('mutation($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }', { id });
    await page.getByText('No edits yet.').waitFor();
    expect(await absent.count()).toBe(0);
    expect(searchOf(page)).toBe('');
  });
});

/** Of a new edit, as the OpenAI-compatible API returns it. */
async function linkOf(app: TestApp, prompt: string): Promise<URL> {
  const response = await openaiClient(app.url)
    .images.edit(await editOf(prompt))
    .asResponse();
  await response.arrayBuffer();
  return new URL(String(response.headers.get('x-retouch-edit-url')));
}

const searchOf = (page: Page) => new URL(page.url()).search;
