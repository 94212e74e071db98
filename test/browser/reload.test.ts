import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { dropFiles, hasBrowser, openPage, runOperation, untilReady } from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

describe.skipIf(!hasBrowser)('a reload of the page', () => {
  test('of a first visit keeps the variables of the first tab, which runs', async () => {
    const { page } = await openPage();
    const before = await look(page);
    expect(before.variables).toContain('make it autumn');
    await page.reload();
    expect(await look(page)).toEqual(before);
    await dropFiles(page.getByRole('region', { name: 'Operation Editor' }), {
      'a.png': await png(),
    });
    await page.getByRole('region', { name: 'Files' }).getByText('a.png').waitFor();
    await runOperation(page, '"SUCCEEDED"');
  });

  test('after only the variables were changed keeps the operation, and adds no tab', async () => {
    const { page } = await openPage();
    await replaceText(page, 'Variables', '{ "input": { "images": [], "prompt": "changed" } }');
    // GraphiQL has stored the editor’s text, and no query.
    await eventually(async () => {
      expect(await page.evaluate('localStorage["graphiql:variables"]')).toContain('changed');
    });
    const before = await look(page);
    await page.reload();
    const after = await look(page);
    expect(after).toEqual(before);
    expect(after.operation).toContain('mutation Edit(');
    await runOperation(page, 'At least one');
  });

  test('right after a change of tab opens that tab, with what was typed last', async () => {
    const { page } = await openPage();
    await page.getByRole('tab', { name: 'History' }).click();
    await replaceText(page, 'Operation Editor', 'query Mine { editJobs { totalCount } }');
    // GraphiQL names the tab a moment later, and not at all once another one is active.
    await page.getByRole('tab', { name: 'Mine' }).waitFor();
    await page.getByRole('tab', { name: 'Usage' }).click();
    await page.getByRole('tab', { name: 'Mine' }).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' # last');
    await page.reload();
    const after = await look(page);
    expect(after.tabs).toEqual(['Edit', 'EditPart', 'Watch', 'Mine', 'Usage']);
    expect(after.active).toEqual(['Mine']);
    expect(after).toMatchObject({ variables: '' });
    await runOperation(page, '"totalCount": 0');
  });

  test('opens the examples again when what is stored is not a list of tabs', async () => {
    const { page } = await openPage();
    await page.addInitScript(`localStorage.setItem('graphiql:tabState', '{"tabs":[]}');
      localStorage.setItem('graphiql:query', 'query Lost { a }');`);
    await page.reload();
    const { tabs, operation, variables } = await look(page);
    expect(tabs[0]).toBe('Edit');
    expect(operation).toContain('mutation Edit(');
    expect(variables).toContain('make it autumn');
  });
});

/** What the page shows, once its editors are there. */
async function look(page: Page) {
  await untilReady(page);
  await page.getByRole('tab', { selected: true }).waitFor();
  const tabs = await page.locator('.graphiql-tab').allInnerTexts();
  const active = await page.locator('.graphiql-tab-active').allInnerTexts();
  return {
    tabs: tabs.map((name) => name.trim()),
    active: active.map((name) => name.trim()),
    operation: await textOf(page, 'Operation Editor'),
    variables: await textOf(page, 'Variables'),
  };
}

/** An editor’s text: Monaco shows blanks as no-break spaces. */
async function textOf(page: Page, name: string): Promise<string> {
  const lines = (await linesOf(page, name).textContent()) ?? '';
  return lines.replaceAll('\u00a0', ' ');
}

/** The headers’ editor is in the same region, hidden. */
const linesOf = (page: Page, name: string) =>
  page.getByRole('region', { name }).locator('.graphiql-editor:not(.hidden) .view-lines');

async function replaceText(page: Page, name: string, text: string): Promise<void> {
  await linesOf(page, name).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
  // What the editor closed by itself.
  await page.keyboard.press('Control+Shift+End');
  await page.keyboard.press('Delete');
}
