import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { eventually } from '../support/eventually.ts';
import { expectLoaded } from '../support/expect-loaded.ts';
import { DEVICES, dropFiles, hasBrowser, openPage, runOperation } from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

/** The built-in sandbox, slow enough for each state of an edit to be there for a moment. */
const SLOW = { EDITS_API_URL: '', EDITS_API_KEY: '', SANDBOX_DELAY_MS: '1500' };

describe.skipIf(!hasBrowser)('where the response is', () => {
  test.each(DEVICES)('a run shows its partial images, then its result, %s', async (_, device) => {
    const { page } = await openPage(device, SLOW);
    await attach(page);
    await recordResults(page);
    await runOperation(page, '"SUCCEEDED"');
    const results = page.getByRole('region', { name: 'Results' });
    await expectLoaded(results.getByRole('img', { name: 'Output image' }));
    await results.getByText('Done').waitFor();
    const seen = await recordedResults(page);
    expect(seen).toContain('RUNNING with Partial image');
    expect(seen.at(-1)).toBe('SUCCEEDED with Output image');
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  test('another tab has results of its own', async () => {
    const { page } = await openPage();
    await attach(page);
    await runOperation(page, '"SUCCEEDED"');
    const results = page.getByRole('region', { name: 'Results' });
    await results.waitFor();
    await page.getByRole('tab', { name: 'Usage' }).click();
    await results.waitFor({ state: 'hidden' });
    await page.getByRole('tab', { name: 'History' }).click();
    await runOperation(page, '"totalCount"');
    await results.getByText('Done').waitFor();
  });

  test('an edit that waits says why, and until when, and can be canceled', async () => {
    const { app, page } = await openPage();
    app.sandbox.faults.push({ kind: 'rate_limit', retryAfter: 3_600 });
    await attach(page);
    await page.getByRole('button', { name: 'Execute query' }).click();
    const results = page.getByRole('region', { name: 'Results' });
    await results.getByText('RATE_LIMITED').waitFor();
    await results.getByText(/Next attempt at \d\d:\d\d:\d\d \(in 3\d{3} s\)/).waitFor();
    await results.getByRole('button', { name: 'Cancel' }).click();
    await results.getByText('Canceled').waitFor();
    expect(await results.getByText('Next attempt').count()).toBe(0);
    expect((await latest(app)).status).toBe('CANCELED');
  });

  test('an unknown outcome says that it may be paid, and a retry takes one click', async () => {
    const { app, page } = await openPage();
    app.sandbox.faults.push({ kind: 'reset' });
    await attach(page);
    await runOperation(page, '"OUTCOME_UNKNOWN"');
    const results = page.getByRole('region', { name: 'Results' });
    await results.getByText('may have processed and billed this edit').waitFor();
    const { id } = await latest(app);
    await results.getByRole('button', { name: 'Retry' }).click();
    await eventually(async () => {
      const { retryOf, status } = await latest(app);
      expect([retryOf?.id, status]).toEqual([id, 'SUCCEEDED']);
    });
    await page.getByRole('button', { name: 'Show Edits' }).click();
    const detail = page.locator('.retouch-detail');
    await detail.getByText('Done').waitFor();
    expect(app.sandbox.stats().paid).toBe(2);
  });

  test('a result can be downloaded, copied as curl, and deleted with one click each', async () => {
    const { app, proxy, page } = await openPage({
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await attach(page);
    await runOperation(page, '"SUCCEEDED"');
    const results = page.getByRole('region', { name: 'Results' });
    const downloading = page.waitForEvent('download');
    await results.getByRole('button', { name: 'Download' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/\.png$/);
    const stored = await Array.fromAsync(await download.createReadStream());
    const before = await latest(app);
    expect(Buffer.concat(stored)).toEqual(
      Buffer.from(await (await fetch(before.outputImages[0].url)).bytes()),
    );

    await results.getByRole('button', { name: 'Copy as curl' }).click();
    await results.getByRole('button', { name: 'Copied' }).waitFor();
    const command = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(command).toContain(`curl '${proxy.url}/graphql'`);
    const body = /-d '(.*)'$/s.exec(command)?.[1] ?? '';
    const again = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await again.json()).toMatchObject({
      data: { editImage: { editJob: { status: 'SUCCEEDED' } } },
    });
    expect(await latest(app)).toMatchObject({
      prompt: { text: 'make it autumn' },
      requestedPartialImages: before.requestedPartialImages,
      inputImages: before.inputImages,
    });

    await results.getByRole('button', { name: 'Delete' }).click();
    await results.waitFor({ state: 'hidden' });
    const { data } = await app.query('query($id: ID!) { editJob(id: $id) { id } }', {
      id: before.id,
    });
    expect(data.editJob).toBeNull();
  });

  test('an operation is copied as curl with its files', async () => {
    const { page } = await openPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    await attach(page);
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const command = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(command).toContain(`-F '0=@"a.png"'`);
    expect(command).toContain(`map={"0":["variables.input.images.0.file"]}`);
    expect(command).toContain('apollo-require-preflight');
  });

  test('an image without a thumbnail is shown itself', async () => {
    const { page, takeComplaints } = await openPage();
    await page.route('**/images/*?w=*', (route) => route.fulfill({ status: 404 }));
    await attach(page);
    await runOperation(page, '"SUCCEEDED"');
    const output = page.getByRole('region', { name: 'Results' }).getByAltText('Output image');
    await expectLoaded(output);
    expect(await output.getAttribute('src')).not.toContain('?w=');
    for (const complaint of takeComplaints()) expect(complaint).toContain('404');
  });

  test('an image that failed while the service was away loads when it is back', async () => {
    const { proxy, page, takeComplaints } = await openPage();
    await page.route('**/images/*', (route) => route.abort());
    await attach(page);
    await runOperation(page, '"SUCCEEDED"');
    const output = page.getByRole('region', { name: 'Results' }).getByAltText('Output image');
    // Its thumbnail has failed.
    await eventually(async () => expect(await output.getAttribute('src')).not.toContain('?w='));
    await page.unroute('**/images/*');
    proxy.cut();
    await eventually(async () => {
      await expectLoaded(output);
      expect(await output.getAttribute('src')).toContain('?w=');
    });
    for (const complaint of takeComplaints()) expect(complaint).toContain('net::ERR');
  });

  test('a proxy that stops waiting is explained, and the edit shows all the same', async () => {
    const { app, page, takeComplaints } = await openPage({}, SLOW);
    await attach(page);
    // The request goes on to the service; its client gets the proxy's page.
    await page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('editImage(')) return route.continue();
      void route.fetch().catch(() => undefined);
      await eventually(async () => expect((await latest(app))?.status).toBeDefined());
      await route.fulfill({ status: 504, contentType: 'text/html', body: '<h1>Time-out</h1>' });
    });
    await runOperation(page, 'proxy_read_timeout');
    const results = page.getByRole('region', { name: 'Results' });
    await results.getByText('Done').waitFor();
    await expectLoaded(results.getByRole('img', { name: 'Output image' }));
    for (const complaint of takeComplaints()) expect(complaint).toContain('504');
  });

  test('a proxy that rejects the size of a request is explained', async () => {
    const { page, takeComplaints } = await openPage();
    await attach(page);
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('editImage(')
        ? route.fulfill({ status: 413, contentType: 'text/html', body: '<h1>Too Large</h1>' })
        : route.continue(),
    );
    await runOperation(page, 'client_max_body_size');
    expect(await page.getByRole('region', { name: 'Results' }).count()).toBe(0);
    for (const complaint of takeComplaints()) expect(complaint).toContain('413');
  });
});

async function attach(page: Page): Promise<void> {
  await dropFiles(page.getByRole('region', { name: 'Operation Editor' }), { 'a.png': await png() });
  await page.getByRole('region', { name: 'Files' }).getByText('a.png').waitFor();
}

/** The newest edit; undefined: there is none. */
async function latest({ query }: TestApp) {
  const { data } = await query(`{
    editJobs(first: 1) {
      edges {
        node {
          id status requestedPartialImages prompt { text } retryOf { id }
          inputImages { id } outputImages { url }
        }
      }
    }
  }`);
  return data.editJobs.edges[0]?.node;
}

/** From now on notes what the results show, whenever that changes. */
function recordResults(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    window.results = [];
    const note = () => {
      const result = document.querySelector('.retouch-result');
      if (result === null) return;
      const { status } = result.querySelector('[data-status]').dataset;
      const words = status + ' with ' + result.querySelector('img')?.alt;
      if (window.results.at(-1) !== words) window.results.push(words);
    };
    new MutationObserver(note).observe(document.body, {
      subtree: true, childList: true, attributes: true,
    });
  })()`);
}

const recordedResults = (page: Page): Promise<string[]> => page.evaluate('window.results');
