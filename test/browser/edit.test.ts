import type { Locator } from 'playwright-core';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { expectLoaded } from '../support/expect-loaded.ts';
import {
  DEVICES,
  dropFiles,
  hasBrowser,
  openPage,
  recordEdits,
  recordedEdits,
  runOperation,
  showPanel,
} from '../support/open-page.ts';
import { jpeg, png, turnedJpeg } from '../support/test-images.ts';

/** The built-in sandbox, slow enough for each state of an edit to be there for a moment. */
const SLOW = { EDITS_API_URL: '', EDITS_API_KEY: '', SANDBOX_DELAY_MS: '1500' };

/** One edit after the other, so that the second is queued for as long as the first takes. */
const ONE_AT_A_TIME = { ...SLOW, MAX_CONCURRENT_EDITS: '1' };

describe.skipIf(!hasBrowser)('the page', () => {
  test('edits two dropped images, and its gallery shows the edit queued, with images on the way, and done', async () => {
    const { app, page } = await openPage({}, ONE_AT_A_TIME);
    const editor = page.getByRole('region', { name: 'Operation Editor' });
    await dropFiles(editor, { 'a.png': await png(300, 200), 'b.jpeg': await jpeg(200, 300) });
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('b.jpeg').waitFor();
    expect(await files.locator('.retouch-slot img').count()).toBe(2);

    await showPanel(page, 'Edits');
    const first = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'in the way', wait: 0 } },
      { 'input.images.0.file': await png() },
    );
    expect(first.errors).toBeUndefined();
    await page.getByText('in the way').waitFor();
    await recordEdits(page);
    const running = runOperation(page, '"SUCCEEDED"');
    const edit = page.locator('.retouch-edit', { hasText: 'make it autumn' });
    await edit.getByText('Done').waitFor();
    await running;
    expect(await recordedEdits(page, 'make it autumn')).toEqual([
      'QUEUED',
      'RUNNING',
      'RUNNING with image',
      'SUCCEEDED with image',
    ]);
    const { data } = await app.query(
      '{ editJobs(first: 1) { edges { node { inputImages { width height } } } } }',
    );
    expect(data.editJobs.edges[0].node.inputImages).toEqual([
      { width: 300, height: 200 },
      { width: 200, height: 300 },
    ]);

    await edit.click();
    const slider = page.getByRole('slider', { name: /before the edit/ });
    const before = page.getByRole('img', { name: 'Before' });
    await expectLoaded(before);
    await expectLoaded(page.getByRole('img', { name: 'After' }));
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await clipOf(before)).toContain('100%');
    await page.keyboard.press('End');
    expect(await clipOf(before)).not.toContain('100%');
  });

  test.each(DEVICES)(
    'sends a mask that was painted over the first image, %s',
    async (_, device) => {
      const { app, page } = await openPage(device);
      await page.getByRole('tab', { name: 'EditPart' }).click();
      const editor = page.getByRole('region', { name: 'Operation Editor' });
      await dropFiles(editor, { 'first.png': await png(300, 200) });
      const files = page.getByRole('region', { name: 'Files' });
      await files.getByText('first.png').waitFor();
      await files.getByRole('button', { name: 'Paint a mask' }).click();

      const dialog = page.getByRole('dialog', { name: 'Paint a mask' });
      const { x, y, width, height } = (await dialog.locator('canvas').boundingBox()) ?? {};
      const at = (right: number, down: number) =>
        [Number(x) + Number(width) * right, Number(y) + Number(height) * down] as const;
      await page.mouse.move(...at(0.25, 0.5));
      await page.mouse.down();
      await page.mouse.move(...at(0.5, 0.5), { steps: 5 });
      await page.mouse.up();
      await dialog.getByRole('button', { name: 'Attach the mask' }).click();
      await files.getByText('mask.png').waitFor();
      await runOperation(page, '"SUCCEEDED"');

      const mask = await storedMask(app);
      const { lastRequests } = app.sandbox.stats();
      expect(lastRequests[0]?.files.map(({ field, sha256 }) => [field, sha256])).toEqual([
        ['image', expect.any(String)],
        ['mask', mask.sha256],
      ]);
      expect(mask).toMatchObject({ width: 300, height: 200, format: 'PNG' });
      const alphaAt = await alphaOf(mask.url);
      expect(alphaAt(110, 100)).toBe(0);
      expect([alphaAt(10, 10), alphaAt(200, 100), alphaAt(110, 160)]).toEqual([255, 255, 255]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    },
  );

  test('paints a mask by the keys alone, the way round that a turned photo is shown', async () => {
    const { app, page } = await openPage();
    await page.getByRole('tab', { name: 'EditPart' }).click();
    const files = page.getByRole('region', { name: 'Files' });
    const turned = await turnedJpeg(200, 300);
    const picker = files.getByLabel('Choose an image… for images[0].file');
    await picker.setInputFiles({ name: 'turned.jpeg', mimeType: 'image/jpeg', buffer: turned });
    await files.getByText('turned.jpeg').waitFor();
    const paint = files.getByRole('button', { name: 'Paint a mask' });
    await paint.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').locator('canvas').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowRight');
    await page.getByRole('button', { name: 'Attach the mask' }).focus();
    await page.keyboard.press('Enter');
    await files.getByText('mask.png').waitFor();
    await runOperation(page, '"SUCCEEDED"');
    const mask = await storedMask(app);
    expect(mask).toMatchObject({ width: 300, height: 200 });
    const alphaAt = await alphaOf(mask.url);
    expect([alphaAt(150, 100), alphaAt(10, 10)]).toEqual([0, 255]);
  });
});

const EDIT = `mutation Edit($input: EditImageInput!) {
  editImage(input: $input) { ... on EditImagePayload { editJob { id } } ... on Error { message } }
}`;

/** How much of it is cut off. */
const clipOf = (image: Locator) => image.evaluate((element) => getComputedStyle(element).clipPath);

/** That of the latest edit. */
async function storedMask({ query }: TestApp) {
  const { data } = await query(
    '{ editJobs(first: 1) { edges { node { mask { url sha256 format width height } } } } }',
  );
  return data.editJobs.edges[0].node.mask;
}

/** Answers how opaque an image is at a place: 0 to 255. */
async function alphaOf(url: string): Promise<(x: number, y: number) => number | undefined> {
  const image = sharp(await (await fetch(url)).bytes());
  const { data, info } = await image.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => data[(y * info.width + x) * 4 + 3];
}
