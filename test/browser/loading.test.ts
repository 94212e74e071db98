import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import type { Passed } from '../support/counting-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/nginx.ts';
import {
  hasBrowser,
  openPage,
  openPageOf,
  type PageRig,
  showPanel,
  untilReady,
} from '../support/open-page.ts';

const MAX_FIRST_LOAD_BYTES = 2_200_000;
/** For operations, for variables, and for all editors. */
const WORKERS = 3;
const isAsset = ({ path }: Passed) => path.startsWith('/graphiql/assets/');
const sum = (passed: readonly Passed[]) => passed.reduce((total, { bytes }) => total + bytes, 0);

/** The editors' workers come last. */
async function untilAllLoaded({ page, proxy }: Pick<PageRig, 'page' | 'proxy'>): Promise<void> {
  await eventually(async () => {
    expect(page.workers()).toHaveLength(WORKERS);
    // Answered by a worker once its script runs; refused by one of the page that was here before.
    for (const worker of page.workers()) await worker.evaluate('true');
  });
  await eventually(() => expect(proxy.pending()).toBe(0));
}

describe.skipIf(!hasBrowser)('the page', () => {
  test('takes at most 2.2 MB over the wire at first, and not a byte of script again', async () => {
    const { proxy, page } = await openPage();
    await untilAllLoaded({ page, proxy });
    const first = proxy.take();
    process.stdout.write(`first load: ${sum(first)} bytes in ${first.length} responses\n`);
    expect(sum(first)).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);

    await page.reload();
    await untilReady(page);
    await untilAllLoaded({ page, proxy });
    expect(proxy.take().filter(isAsset)).toEqual([]);
  });

  test('says that the sandbox is on only when it is', async () => {
    const real = await openPage();
    expect(await real.page.getByText('built-in stand-in').count()).toBe(0);
    const sandbox = await openPage({}, { EDITS_API_URL: '', EDITS_API_KEY: '' });
    await sandbox.page.getByText('built-in stand-in').waitFor();
    expect(await sandbox.page.title()).toBe('Retouch (sandbox)');
  });

  test('says that the default model has ended, once the upstream’s list is known', async () => {
    const app = await startTestApp({}, { models: [{ id: 'gpt-image-2' }] });
    onTestFinished(() => app.stop());
    const listed = async () => {
      const { data } = await app.query('{ models { isDefault isListed } }');
      return data.models.find(({ isDefault }: { isDefault: boolean }) => isDefault).isListed;
    };
    await eventually(async () => expect(await listed()).toBe(false));
    const { page } = await openPageOf(app);
    await page.getByText('The default model gpt-image-1 is no longer listed').waitFor();
  });

  test('runs below a path prefix that no proxy strips', async () => {
    const [port = 0] = await freePorts(1);
    const env = { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}/retouch` };
    const { page, proxy } = await openPage({}, env);
    await untilAllLoaded({ page, proxy });
    for (const { path, status } of proxy.take()) {
      expect([path, status, path.startsWith('/retouch/')]).toEqual([path, 200, true]);
    }
    await showPanel(page, 'Edits');
  });

  test.each(['light', 'dark'] as const)('follows a %s system', async (colorScheme) => {
    const { page } = await openPage({ colorScheme });
    await showPanel(page, 'Edits');
    const lightness = await page.evaluate(`(() => {
      const { backgroundColor } = getComputedStyle(document.querySelector('.graphiql-container'));
      return backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    })()`);
    expect(Number(lightness) > 128).toBe(colorScheme === 'light');
  });
});
