import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, inject, onTestFinished } from 'vitest';
import { startTestApp, type TestApp } from './app.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { PATIENCE_MS } from './eventually.ts';
import { browserOfFile } from './file-browser.ts';

/** Whether there is a browser on this machine. */
export const hasBrowser = inject('chromium') !== null;

export const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };

/** For `test.each`: what a device is called, and how a browser there is. */
export const DEVICES = [
  ['on a desk', { viewport: DESK }],
  ['on a phone', { viewport: PHONE, hasTouch: true, isMobile: true }],
] as const;

/** GraphiQL's page in a browser, and the service behind it. All goes with the test. */
export interface PageRig {
  readonly app: TestApp;
  /** Between the browser and the service. */
  readonly proxy: CountingProxy;
  readonly page: Page;
  /** Of the page so far; forgets them. */
  takeComplaints(): string[];
  /**
   * In another profile of the same browser, with nothing cached.
   * @param search The query of the URL, from its `?` on.
   */
  openFresh(options?: BrowserContextOptions, search?: string): Promise<Page>;
}

/**
 * Opens the page, and fails the test at its end when the page has logged an error, broken its
 * content security policy, or asked anybody but the service.
 */
export async function openPage(
  options: BrowserContextOptions = {},
  env: Record<string, string> = {},
): Promise<PageRig> {
  // A model whose end is known would add a notice, which moves the rest of the page.
  const app = await startTestApp(env, { models: [] });
  onTestFinished(() => app.stop());
  return openPageOf(app, options);
}

/** The same of a service that the test has started. */
export async function openPageOf(
  app: TestApp,
  options: BrowserContextOptions = {},
  isOpened: (page: Page) => Promise<void> = untilReady,
): Promise<PageRig> {
  const proxy = await startCountingProxy(app.url);
  onTestFinished(() => proxy.stop());
  const contexts: BrowserContext[] = [];
  onTestFinished(async () => void (await Promise.all(contexts.map((one) => one.close()))));
  const complaints: string[] = [];
  // Before the pages go: hooks run in reverse.
  onTestFinished(() => expect(complaints).toEqual([]));

  async function openFresh(own: BrowserContextOptions = options, search = ''): Promise<Page> {
    const context = await (await browserOfFile()).newContext({ viewport: DESK, ...own });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      const isOwn = origin === proxy.url || protocol === 'blob:' || protocol === 'data:';
      if (!isOwn) complaints.push(`asked for ${request.url()}`);
    });
    // Below the path of PUBLIC_URL, if it has one.
    const path = new URL(app.url).pathname.replace(/\/$/, '');
    await page.goto(`${proxy.url}${path}/graphql${search}`);
    await isOpened(page);
    return page;
  }
  const takeComplaints = () => complaints.splice(0);
  return { app, proxy, page: await openFresh(), takeComplaints, openFresh };
}

/** The operation can be edited and run. */
export async function untilReady(page: Page): Promise<void> {
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  await page.getByRole('button', { name: 'Execute query' }).waitFor();
}

type Files = Readonly<Record<string, Uint8Array>>;

/** Lets go of files over an element, as when they are dragged in from a folder. */
export async function dropFiles(target: Locator, files: Files): Promise<void> {
  const dataTransfer = await transferOf(target.page(), files);
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await target.dispatchEvent(type, { dataTransfer });
  }
}

/** Pastes files, as after a screenshot. */
export async function pasteFiles(page: Page, files: Files): Promise<void> {
  const clipboardData = await transferOf(page, files);
  await clipboardData.evaluate((data) => {
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true });
    document.body.dispatchEvent(event);
  });
}

function transferOf(page: Page, files: Files) {
  const encoded = Object.entries(files).map(([name, bytes]) => ({
    name,
    type: name.endsWith('.txt') ? 'text/plain' : `image/${name.split('.').at(-1)}`,
    base64: Buffer.from(bytes).toString('base64'),
  }));
  return page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    return transfer;
  }, encoded);
}

/** Runs the active tab's operation and waits for its answer to have these words. */
export async function runOperation(page: Page, answer: string): Promise<void> {
  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.getByLabel('Result Window').getByText(answer).first().waitFor();
}

export async function showPanel(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Show ${title}` }).click();
  await page.getByRole('region', { name: title }).waitFor();
}

/** The page shows all of it where it is scrolled to. */
export async function expectInside(page: Page, target: Locator): Promise<void> {
  const box = await target.boundingBox();
  const height = page.viewportSize()?.height ?? 0;
  expect(box?.y).toBeGreaterThanOrEqual(0);
  expect(Number(box?.y) + Number(box?.height)).toBeLessThanOrEqual(height + 1);
}

/** From now on notes what the gallery shows of each edit, whenever that changes. */
export function recordEdits(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    window.seen = {};
    const note = () => {
      for (const edit of document.querySelectorAll('.retouch-edit')) {
        const prompt = edit.querySelector('.retouch-edit-prompt').textContent;
        const { status } = edit.querySelector('[data-status]').dataset;
        const hasImage = edit.querySelector('img:not(.is-input)') !== null;
        const words = hasImage ? status + ' with image' : status;
        const seen = (window.seen[prompt] ??= []);
        if (seen.at(-1) !== words) seen.push(words);
      }
    };
    new MutationObserver(note).observe(document.body, {
      subtree: true, childList: true, attributes: true,
    });
    note();
  })()`);
}

/** Such as `RUNNING with image`, in order. */
export function recordedEdits(page: Page, prompt: string): Promise<string[]> {
  return page.evaluate(`window.seen[${JSON.stringify(prompt)}]`);
}
