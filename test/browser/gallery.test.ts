import { describe, expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { eventually } from '../support/eventually.ts';
import {
  DEVICES,
  expectInside,
  hasBrowser,
  openPage,
  runOperation,
  showPanel,
} from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

describe.skipIf(!hasBrowser)('the Edits panel', () => {
  test.each(DEVICES)('plots what edits took by day, %s', async (_, device) => {
    const { app, page } = await openPage(device);
    await edit(app, 'for the plot');
    await showPanel(page, 'Edits');
    const plot = page.getByRole('figure');
    await plot.getByText('tokens in 30 days').waitFor();
    const heights = await plot
      .getByRole('listitem')
      .evaluateAll((days) => days.map((day) => day.children[0]?.getBoundingClientRect().height));
    expect(heights).toEqual([...Array(29).fill(0), expect.any(Number)]);
    expect(heights.at(-1)).toBeGreaterThan(50);
    await plot.getByRole('button', { name: 'Cost' }).click();
    await plot.getByText('at list prices in 30 days').waitFor();
    await page
      .getByRole('button', { name: /for the plot/ })
      .getByText('$0.')
      .waitFor();
    await plot.getByRole('button', { name: 'Edits' }).click();
    await plot.getByText('1 edit in 30 days').waitFor();

    // It follows what happens meanwhile.
    await edit(app, 'one more');
    await plot.getByText('2 edits in 30 days').waitFor();
    const box = await plot.boundingBox();
    expect(Number(box?.x) + Number(box?.width)).toBeLessThanOrEqual(device.viewport.width);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  test.each(DEVICES)('makes a result the input of the next edit, %s', async (_, device) => {
    const { app, page } = await openPage(device);
    const id = await edit(app, 'to go on with');
    await showPanel(page, 'Edits');
    await page.getByRole('button', { name: /to go on with/ }).click();
    await page.getByRole('button', { name: 'Use as input: Result' }).click();
    await page.getByRole('region', { name: 'Files' }).getByText('stored image').waitFor();
    await runOperation(page, '"SUCCEEDED"');
    const { data } = await app.query(
      '{ editJobs(first: 1) { edges { node { inputImages { id } } } } }',
    );
    expect(data.editJobs.edges[0].node.inputImages).toEqual([{ id }]);
  });

  test('inserts the id of an image where the cursor was', async () => {
    const { app, page } = await openPage();
    await edit(app, 'to be named');
    await page.getByRole('button', { name: 'New tab' }).click();
    await page
      .getByRole('region', { name: 'Operation Editor' })
      .locator('.view-line')
      .first()
      .click();
    // The editor closes the brackets.
    await page.keyboard.type('{ image(id: ');
    await showPanel(page, 'Edits');
    await page.getByRole('button', { name: /to be named/ }).click();
    await page.getByRole('button', { name: 'Insert id: Result' }).click();
    await page.keyboard.type(') { id format }');
    await runOperation(page, '"PNG"');
  });

  test('lets go of an edit that is deleted, also while it is looked at', async () => {
    const { app, page } = await openPage();
    await edit(app, 'to be deleted');
    await showPanel(page, 'Edits');
    await page.getByRole('button', { name: /to be deleted/ }).click();
    await page.getByRole('button', { name: 'All edits' }).waitFor();
    const { data } = await app.query('{ editJobs(first: 1) { edges { node { id } } } }');
    const { id } = data.editJobs.edges[0].node;
    await app.query('mutation($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }', { id });
    await page.getByText('No edits yet.').waitFor();
  });

  test.each(DEVICES)(
    'opens an edit at its top, and goes back to where it was opened from, %s',
    async (_, device) => {
      const { app, page } = await openPage(device);
      const prompts = Array.from({ length: 8 }, (_, index) => `number ${index}`);
      for (const prompt of prompts) await edit(app, prompt);
      await showPanel(page, 'Edits');
      const oldest = page.getByRole('button', { name: /number 0/ });
      await oldest.click();
      const back = page.getByRole('button', { name: 'All edits' });
      await back.waitFor();
      // Not under what is fixed at the top.
      await back.click({ trial: true });
      await eventually(() => expectInside(page, page.getByRole('heading', { name: 'Edit' })));
      await back.click();
      await eventually(() => expectInside(page, oldest));
      expect(await oldest.evaluate((card) => card === document.activeElement)).toBe(true);
    },
  );

  test('shows a prompt from its own side, in its lines, and how long ago that was by now', async () => {
    const { app, page } = await openPage();
    await page.clock.install();
    await edit(app, 'أضف بالونا (كبيرا)!\nسطر ثان');
    await showPanel(page, 'Edits');
    const card = page.locator('.retouch-edit');
    await card.getByText('just now').waitFor();
    await page.clock.fastForward('05:00');
    await card.getByText('5 min. ago').waitFor();
    await card.click();
    const prompt = page.locator('.retouch-detail-prompt');
    expect(await prompt.evaluate((one) => getComputedStyle(one).direction)).toBe('rtl');
    expect(await prompt.evaluate((one) => getComputedStyle(one).whiteSpace)).toContain('pre');
  });

  test('keeps what an edit took and its images near a long prompt, and shows that whole when asked', async () => {
    const { app, page } = await openPage();
    const last = 'and a kite at the end';
    await edit(app, `${'a balloon, '.repeat(1_000)}${last}`);
    await showPanel(page, 'Edits');
    await page.locator('.retouch-edit').click();
    const prompt = page.locator('.retouch-detail-prompt');
    await prompt.waitFor();
    const height = async () => Number((await prompt.boundingBox())?.height);
    const cut = await height();
    expect(cut).toBeLessThan(250);
    await page.getByRole('button', { name: 'Show all 11,021 characters' }).click();
    await page.getByRole('button', { name: 'Show less' }).waitFor();
    expect(await height()).toBeGreaterThan(5 * cut);
  });

  test('asks again when the first edits cannot be had', async () => {
    const { app, page, takeComplaints } = await openPage();
    await edit(app, 'at last');
    const isFirst = (data: string | null) => data?.includes('query RecentEdits') ?? false;
    let asked = 0;
    await page.route('**/graphql', (route) => {
      const fails = isFirst(route.request().postData()) && ++asked === 1;
      return fails ? route.abort() : route.continue();
    });
    await showPanel(page, 'Edits');
    await page.getByText('at last').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.locator('.retouch-problem').count()).toBe(0);
    for (const complaint of takeComplaints()) expect(complaint).toContain('net::ERR');
  });

  test('says why an edit failed', async () => {
    const { app, page } = await openPage();
    app.sandbox.faults.push({ kind: 'moderation' });
    await edit(app, 'refused');
    await showPanel(page, 'Edits');
    await page.getByRole('button', { name: /refused/ }).click();
    await page.getByText('MODERATION_BLOCKED').waitFor();
  });

  test('connects again after the service was away, and shows what happened meanwhile', async () => {
    const { app, proxy, page, takeComplaints } = await openPage();
    await showPanel(page, 'Edits');
    const live = page.getByText('Live', { exact: true });
    await live.waitFor();
    proxy.cut();
    await live.waitFor({ state: 'hidden' });
    await edit(app, 'meanwhile');
    await live.waitFor();
    await page.getByText('meanwhile').waitFor();
    // That the connection broke is all there is to complain of.
    for (const complaint of takeComplaints()) expect(complaint).toContain('net::ERR');
  });
});

/** Answers the id of the image that it made, if it made one. */
async function edit(app: TestApp, prompt: string): Promise<string> {
  const { data } = await app.upload(
    `mutation Edit($input: EditImageInput!) {
      editImage(input: $input) { ... on EditImagePayload { editJob { outputImages { id } } } }
    }`,
    { input: { images: [{ file: null }], prompt } },
    { 'input.images.0.file': await png() },
  );
  return data.editImage.editJob.outputImages[0]?.id;
}
