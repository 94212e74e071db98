import { describe, expect, test } from 'vitest';
import {
  dropFiles,
  expectInside,
  hasBrowser,
  openPage,
  pasteFiles,
  runOperation,
} from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

/** Those of a first visit. */
const TABS = 5;

describe.skipIf(!hasBrowser)('the Files panel', () => {
  test('gets an edit in a new tab for images that are pasted where no file is taken', async () => {
    const { app, page } = await openPage();
    await page.getByRole('tab', { name: 'History' }).click();
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('This operation has no file variables.').waitFor();
    await pasteFiles(page, { 'a.png': await png(30, 20), 'b.png': await png(20, 30) });
    await files.getByText('b.png').waitFor();
    await page.getByRole('tab').nth(TABS).waitFor();
    await runOperation(page, '"SUCCEEDED"');
    expect(app.sandbox.stats().lastRequests[0]?.files).toHaveLength(2);

    // The other tab's files are its own.
    await page.getByRole('tab').first().click();
    await files.getByText('empty').first().waitFor();
    expect(await files.getByText('b.png').count()).toBe(0);
  });

  test('adds and removes entries of a list, each with its file', async () => {
    const { app, page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByRole('button', { name: 'Add a place' }).click();
    const [first, second] = [await png(30, 20), await png(20, 30)];
    const places = files.locator('.retouch-slot');
    await places.nth(2).waitFor();
    await dropFiles(places.nth(1), { 'second.png': second });
    await dropFiles(places.nth(0), { 'first.png': first });
    await files.getByText('first.png').waitFor();
    await files.getByRole('button', { name: 'Remove input.images[0].file' }).click();
    await files.getByText('first.png').waitFor({ state: 'hidden' });
    await runOperation(page, '"SUCCEEDED"');
    const [request] = app.sandbox.stats().lastRequests;
    expect(request?.files.map(({ field, bytes }) => [field, bytes])).toEqual([
      ['image', second.length],
    ]);
  });

  test('has no places of the tab before in a tab whose operation cannot be read', async () => {
    const { app, page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('input.images[0].file').first().waitFor();
    await page.getByRole('button', { name: 'New tab' }).click();
    await files.getByText('This operation has no file variables.').waitFor();
    await pasteFiles(page, { 'a.png': await png(30, 20) });
    await files.getByText('a.png').waitFor();
    await runOperation(page, '"SUCCEEDED"');
    expect(app.sandbox.stats().lastRequests[0]?.files).toHaveLength(1);
  });

  test('has the places of every operation of the tab, and sends each its own', async () => {
    const { page } = await openPage();
    await page.getByRole('button', { name: 'New tab' }).click();
    const editor = page.getByRole('region', { name: 'Operation Editor' });
    await editor.locator('.view-line').first().click();
    await page.keyboard.insertText(
      `query A($first: Int) { editJobs(first: $first) { totalCount } }
      mutation B($file: Upload!) { uploadImage(input: { file: $file }) { __typename } }`,
    );
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('file', { exact: true }).first().waitFor();
    await dropFiles(editor, { 'a.png': await png(30, 20) });
    await files.getByText('a.png').waitFor();
    for (const [name, answer, type] of [
      ['A', '"totalCount"', 'application/json'],
      ['B', '"UploadImagePayload"', 'multipart/form-data'],
    ] as const) {
      const sent = page.waitForRequest((request) => request.method() === 'POST');
      await page.getByRole('button', { name: 'Execute query' }).click();
      await page.getByRole('menuitem', { name }).click();
      expect((await sent).headers()['content-type']).toContain(type);
      await page.getByLabel('Result Window').getByText(answer).waitFor();
    }
  });

  test('sends what the tab holds when it is run as soon as it is shown', async () => {
    const { page } = await openPage();
    const runTab = (index: number) =>
      page.evaluate((tab) => {
        document.querySelector<HTMLElement>(`#graphiql-session-tab-${tab}`)?.click();
        document.querySelector<HTMLElement>('.graphiql-execute-button')?.click();
      }, index);
    await runTab(2);
    await page.getByRole('button', { name: 'Stop query' }).click();
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
    await runTab(3);
    await page.getByLabel('Result Window').getByText('"totalCount"').waitFor();
  });

  test('shows a file only as long as the variables hold its place', async () => {
    const { page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    await files
      .getByLabel('Choose an image… for input.mask.file')
      .setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer: await png(30, 20) });
    await files.getByText('mask.png').waitFor();
    const variables = page.getByRole('region', { name: 'Variables' }).locator('.view-line').first();
    await variables.click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText('{"input": {"images": [], "prompt": "no mask"}}');
    const place = files.locator('.retouch-slot', { hasText: 'input.mask.file' });
    await place.getByText('empty').waitFor();
  });

  test('puts several images that come to one place of a list there and into the places that follow', async () => {
    const { app, page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    const [first, second, third] = [await png(30, 20), await png(20, 30), await png(40, 30)];
    const place = files.locator('.retouch-slot').first();
    await dropFiles(place, { 'a.png': first, 'b.png': second });
    await files.getByText('b.png').waitFor();
    await files
      .getByLabel('for input.images[0].file')
      .setInputFiles(
        ['c.png', 'd.png'].map((name) => ({ name, mimeType: 'image/png', buffer: third })),
      );
    await files.getByText('d.png').waitFor();
    expect(await files.getByText('a.png').count()).toBe(0);
    await runOperation(page, '"SUCCEEDED"');
    const [request] = app.sandbox.stats().lastRequests;
    expect(request?.files.map(({ bytes }) => bytes)).toEqual([
      third.length,
      second.length,
      third.length,
    ]);
  });

  test('covers the page while images are dragged over it', async () => {
    const { page } = await openPage();
    const editor = page.getByRole('region', { name: 'Operation Editor' });
    const dataTransfer = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([], 'a.png', { type: 'image/png' }));
      return transfer;
    });
    await editor.dispatchEvent('dragover', { dataTransfer });
    const words = page.getByText('Drop images to attach them');
    await words.waitFor();
    const { width, height } = page.viewportSize() ?? { width: NaN, height: NaN };
    const edge = 12;
    expect(await words.boundingBox()).toEqual({
      x: edge,
      y: edge,
      width: width - 2 * edge,
      height: height - 2 * edge,
    });
  });

  test('takes the images of a drop, and says what was no image', async () => {
    const { page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    const notice = page.locator('.retouch-notice');
    await dropFiles(page.getByRole('region', { name: 'Operation Editor' }), {
      'notes.txt': Buffer.from('no image'),
    });
    await notice.getByText('notes.txt').waitFor();
    await expectInside(page, notice);
    await notice.getByRole('button', { name: 'Close' }).click();
    await notice.waitFor({ state: 'hidden' });

    await dropFiles(files.locator('.retouch-slot').first(), {
      'more-notes.txt': Buffer.from('no image'),
      'a.png': await png(30, 20),
    });
    await notice.getByText('more-notes.txt').waitFor();
    await files.getByText('a.png').waitFor();
    expect(await files.getByText('a.png').count()).toBe(1);
    await dropFiles(files.locator('.retouch-slot').nth(1), { 'b.png': await png(20, 30) });
    await notice.waitFor({ state: 'hidden' });
  });

  test('lets go of a brush whose image the browser cannot show', async () => {
    const { page } = await openPage();
    const files = page.getByRole('region', { name: 'Files' });
    await dropFiles(files, { 'a.png': Buffer.from('no image') });
    await files.getByRole('button', { name: 'Paint a mask' }).click();
    const dialog = page.getByRole('dialog', { name: 'Paint a mask' });
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'hidden' });
  });

  test('says when the variables cannot be read', async () => {
    const { page } = await openPage();
    await page.getByRole('region', { name: 'Variables' }).locator('.view-line').first().click();
    await page.keyboard.type('{');
    await page.getByRole('alert').getByText('not valid JSON').waitFor();
  });
});
