import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  dropFiles,
  hasBrowser,
  openPage,
  PHONE,
  runOperation,
  showPanel,
} from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

/** GraphiQL's own, which we cannot mend: its tabs are buttons in buttons, its line numbers faint. */
const NOT_OURS = ['.graphiql-tabs', '.monaco-editor'];

describe.skipIf(!hasBrowser)('the page', () => {
  test.each([
    ['on a desk, light', { viewport: { width: 1440, height: 900 }, colorScheme: 'light' as const }],
    ['on a phone, dark', { viewport: PHONE, isMobile: true, colorScheme: 'dark' as const }],
  ])('has nothing that axe objects to in any of its panels, %s', async (_, device) => {
    const { page } = await openPage(device);
    await page.evaluate(axe.source);
    await dropFiles(page.getByRole('region', { name: 'Operation Editor' }), {
      'a.png': await png(300, 200),
    });
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('a.png').waitFor();
    expect(await complaints(page)).toEqual([]);

    await files.getByRole('button', { name: 'Paint a mask' }).click();
    const dialog = page.getByRole('dialog', { name: 'Paint a mask' });
    await dialog.locator('canvas').waitFor();
    expect(await complaints(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await runOperation(page, '"SUCCEEDED"');
    await showPanel(page, 'Edits');
    await page.getByRole('figure').getByText('tokens in 30 days').waitFor();
    const edit = page.getByRole('button', { name: /make it autumn/ });
    await edit.waitFor();
    expect(await complaints(page)).toEqual([]);
    await edit.click();
    await page.getByRole('button', { name: 'All edits' }).waitFor();
    expect(await complaints(page)).toEqual([]);
  });
});

/** https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md */
async function complaints(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ exclude: ${JSON.stringify(NOT_OURS)} })`,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
