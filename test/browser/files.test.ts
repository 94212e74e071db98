import { describe, expect, test } from 'vitest';
import { dropFiles, hasBrowser, openPage, pasteFiles, runOperation } from '../support/page-rig.ts';
import { png } from '../support/pictures.ts';

/** Those of a first visit. */
const TABS = 5;

describe.skipIf(!hasBrowser)('the Files panel', () => {
  test('gets an edit in a new tab for pictures that are pasted where no file is taken', async () => {
    const { app, page } = await openPage();
    await page.getByRole('tab', { name: 'History' }).click();
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('This operation takes no files.').waitFor();
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

  test('says when the variables cannot be read', async () => {
    const { page } = await openPage();
    await page.getByRole('region', { name: 'Variables' }).locator('.view-line').first().click();
    await page.keyboard.type('{');
    await page.getByRole('alert').getByText('no valid JSON').waitFor();
  });
});
