import type { Route } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hasBrowser, openPage, runOperation } from '../support/open-page.ts';

describe.skipIf(!hasBrowser)('without the service', () => {
  test.each([
    ['cannot be reached', 'The service cannot be reached.', (route: Route) => route.abort()],
    [
      'answers by a proxy of its own',
      '502',
      (route: Route) => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }),
    ],
  ])('one that %s is told in words, and no stack', async (_, words, answer) => {
    const { page, takeComplaints } = await openPage();
    await page.route('**/graphql', answer);
    for (const tab of ['History', 'Watch']) {
      await page.getByRole('tab', { name: tab }).click();
      await runOperation(page, words);
      const result = await page.getByLabel('Result Window').textContent();
      expect(result).not.toContain('stack');
    }
    for (const complaint of takeComplaints()) expect(complaint).toMatch(/net::ERR|502/);
  });
});
