import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { findChromium } from '../support/chromium.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { EXAMPLES, INSTALLED_EXAMPLES } from '../support/examples.ts';
import { expectLoaded } from '../support/expect-loaded.ts';
import { browserOfFile } from '../support/file-browser.ts';
import { png } from '../support/test-images.ts';

const chromium = findChromium();
if (chromium === null) {
  process.stderr.write('\nSKIPPED: the examples’ pages, as no Chromium is installed.\n\n');
}

// Here, where nothing else runs meanwhile: it writes the types anew, and an open page is loaded again.
test.runIf(inject('hasExamples')).each(INSTALLED_EXAMPLES)(
  'the code of examples/%s fits the types that come of schema.graphql',
  async (name) => {
    await promisify(execFile)('npm', ['run', 'check'], { cwd: join(EXAMPLES, name) });
  },
);

describe.runIf(chromium && inject('hasExamples'))('npm start in examples/', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  test.each(['apollo', 'urql', 'relay', 'fetch'])(
    '%s serves a page that uploads, shows images on the way, the result and the history',
    async (name) => {
      const url = await startExample(name, app);
      const page = await newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto(url);

      app.sandbox.faults.push({ kind: 'delay', delayMs: 3_000 });
      const prompt = `autumn, by ${name}`;
      const buffer = await png(300, 200);
      await page
        .getByLabel('Image')
        .setInputFiles({ name: 'image.png', mimeType: 'image/png', buffer });
      await page.getByLabel('Prompt').fill(prompt);
      await page.getByRole('button', { name: 'Edit' }).click();

      const edit = page.getByRole('region', { name: 'This edit' });
      await expectLoaded(edit.getByRole('img', { name: 'In progress' }).first());
      expect(await edit.getByRole('status').textContent()).toBe('RUNNING');
      await expectLoaded(edit.getByRole('img', { name: 'Result' }));
      expect(await edit.getByRole('img', { name: 'In progress' }).count()).toBe(3);
      const entry = page
        .getByRole('region', { name: 'History' })
        .getByRole('listitem')
        .filter({ hasText: `${prompt}: SUCCEEDED` });
      await expectLoaded(entry.getByRole('img', { name: prompt }));
      expect(complaints).toEqual([]);
    },
  );

  test.each(['apollo', 'urql', 'relay', 'fetch'])(
    '%s serves a page that says why an edit is refused',
    async (name) => {
      const url = await startExample(name, app);
      const page = await newPage();
      await page.goto(url);
      await page.getByLabel('Image').setInputFiles({
        name: 'image.png',
        mimeType: 'image/png',
        buffer: Buffer.from('no image at all'),
      });
      await page.getByRole('button', { name: 'Edit' }).click();
      await page
        .getByRole('alert')
        .filter({ hasText: /PNG, JPEG/ })
        .waitFor();
    },
  );

  test.each(['apollo', 'urql', 'relay', 'fetch'])(
    '%s serves a page that says so when the service cannot be reached, and stays',
    async (name) => {
      const url = await startExample(name, app);
      const page = await newPage();
      await page.route('**/graphql', (route) => route.abort());
      await page.goto(url);
      await page.getByRole('alert').first().waitFor();
      await page.unroute('**/graphql');
      await page.reload();
      await page.getByRole('region', { name: 'History' }).waitFor();
      await page.route('**/graphql', (route) => route.abort());
      await page
        .getByLabel('Image')
        .setInputFiles({ name: 'image.png', mimeType: 'image/png', buffer: await png(30, 20) });
      await page.getByRole('button', { name: 'Edit' }).click();
      await page.getByRole('alert').first().waitFor();
      await page.getByRole('button', { name: 'Edit' }).click({ trial: true });
    },
  );
});

/** In a profile of its own, which goes with the test. */
async function newPage(): Promise<Page> {
  const context = await (await browserOfFile()).newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  onTestFinished(() => context.close());
  return context.newPage();
}

/** Runs the example’s one command until the test ends; answers where its page is. */
async function startExample(name: string, app: TestApp): Promise<string> {
  const child = spawn('npm', ['start'], {
    cwd: join(EXAMPLES, name),
    env: { ...process.env, RETOUCH_URL: app.url, PORT: '0', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm does not hand on every signal: the whole group goes with the test.
    detached: true,
  });
  onTestFinished(() => end(child));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
    if (url) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error(`npm start ended:\n${lines.join('\n')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await exited;
}
