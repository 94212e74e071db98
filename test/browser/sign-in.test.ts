import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, bearer, startAccessApp } from '../support/access-app.ts';
import { expectLoaded } from '../support/expect-loaded.ts';
import {
  DEVICES,
  dropFiles,
  hasBrowser,
  openPage,
  openPageOf,
  runOperation,
  showPanel,
  untilReady,
} from '../support/open-page.ts';
import { png } from '../support/test-images.ts';

const REVOKE = `mutation ($id: ID!) {
  revokeApiKey(input: { id: $id }) { __typename ... on Error { message } }
}`;

describe.skipIf(!hasBrowser)('the page, with authentication', () => {
  test('signs in with an API key, and everything is sent with it', async () => {
    const { page, key, proxy, expect401 } = await openSignIn();
    await dialogOf(page).getByLabel('API key or token').fill('rt_live_wrong');
    await page.keyboard.press('Enter');
    await dialogOf(page).getByRole('alert').getByText('not valid').waitFor();
    expect(
      proxy.take().filter(({ status, path }) => path === '/graphql' && status === 200),
    ).toEqual([expect.objectContaining({ type: 'text/html; charset=utf-8' })]);

    await signIn(page, key);
    await page.getByText('Signed in as ann').waitFor();
    await dropFiles(page.getByRole('region', { name: 'Operation Editor' }), {
      'a.png': await png(300, 200),
    });
    await page.getByRole('region', { name: 'Files' }).getByText('a.png').waitFor();
    await runOperation(page, '"SUCCEEDED"');
    await showPanel(page, 'Edits');
    await page.getByText('Live', { exact: true }).waitFor();
    const card = page.getByRole('button', { name: /make it autumn/ });
    await expectLoaded(card.locator('img'));
    await card.click();
    await expectLoaded(page.getByRole('img', { name: 'After' }));
    const download = page.getByRole('link', { name: 'Download Result' });
    expect(await download.getAttribute('href')).toContain('&signature=');

    // Shown by its id alone, for which there is no signed URL.
    await page.getByRole('button', { name: 'Use as input: Result' }).click();
    const slot = page.getByRole('region', { name: 'Files' }).locator('.retouch-slot img').first();
    await expectLoaded(slot);
    await runOperation(page, '"SUCCEEDED"');

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy as curl' }).first().click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain('-H "authorization: Bearer $RETOUCH_KEY"');
    expect(command).not.toContain(key);
    expect401();
  });

  test.each([
    ['forgets the key on a reload', false],
    ['keeps the key for the tab when it should, and nowhere else', true],
  ])('%s', async (_, keep) => {
    const { page, key, urls, expect401 } = await openSignIn();
    await signIn(page, key, { keep });
    await runOperation(page, '"message"');
    const { local, session } = await storagesOf(page);
    expect(local).not.toContain(key);
    expect(session.includes(key)).toBe(keep);
    await page.reload();
    if (keep) await untilReady(page);
    else await dialogOf(page).waitFor();
    const after = await storagesOf(page);
    expect(after.local).not.toContain(key);
    expect(after.session.includes(key)).toBe(keep);

    if (keep) {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await dialogOf(page).waitFor();
      expect((await storagesOf(page)).session).not.toContain(key);
    }
    expect(urls.filter((url) => url.includes(key))).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
    expect401();
  });

  test('asks again when the key is revoked, and keeps the editor’s content', async () => {
    const { page, key, id, query, proxy, createKey, edit, expect401 } = await openSignIn();
    await edit(bearer(key), 'of ann');
    await signIn(page, key, { keep: true });
    await showPanel(page, 'Edits');
    await page.getByText('of ann').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await writeOperation(page, 'query Kept { viewer { id } }');
    await runOperation(page, '"ann"');

    const revoked = await query(ADMIN, REVOKE, { id });
    expect(revoked.data.revokeApiKey.__typename).toBe('RevokeApiKeyPayload');
    await dialogOf(page).getByRole('alert').getByText('revoked').waitFor();
    expect((await storagesOf(page)).session).not.toContain(key);
    proxy.take();
    await page.waitForTimeout(5_000);
    expect(proxy.take()).toEqual([]);
    expect(proxy.pending()).toBe(0);

    await page.keyboard.press('Escape');
    await dialogOf(page).waitFor({ state: 'hidden' });
    await page.getByText('Signed out', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign in…' }).click();
    const again = await createKey();
    await signIn(page, again.key);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('query Kept').waitFor();
    // The response of the same viewer, too.
    await page.getByLabel('Result Window').getByText('"ann"').waitFor();

    await query(ADMIN, REVOKE, { id: again.id });
    await dialogOf(page).waitFor();
    const other = await createKey({ ownerId: 'bob' });
    await signIn(page, other.key);
    await page.getByText('Signed in as bob').waitFor();
    await untilReady(page);
    await page.getByText('query Kept').waitFor();
    expect(await page.getByLabel('Result Window').getByText('"ann"').count()).toBe(0);
    // The panel stays open.
    await page.getByText('No edits yet.').waitFor();
    expect401();
  });

  test('opens the edit of a link after the sign-in, and no edit of another owner', async () => {
    const { key, createKey, edit, openFresh, expect401 } = await openSignIn();
    const bob = await createKey({ ownerId: 'bob' });
    const { job } = await edit(bearer(key), 'of ann');
    for (const [one, shown] of [
      [key, 'of ann'],
      [bob.key, 'does not exist, or is not yours'],
    ] as const) {
      const page = await openFresh({}, `?edit=${job.id}`);
      await signIn(page, one);
      await page.locator('.retouch-panel').getByText(shown).waitFor();
      expect(await page.locator('.retouch-detail').count()).toBe(one === key ? 1 : 0);
    }
    expect401();
  });

  test('shows each owner only their own edits', async () => {
    const { page, key, createKey, edit, openFresh, expect401 } = await openSignIn();
    const bob = await createKey({ ownerId: 'bob' });
    await edit(bearer(key), 'of ann');
    await edit(bearer(bob.key), 'of bob');
    const other = await openFresh();
    for (const [who, one, own, foreign] of [
      [page, key, 'of ann', 'of bob'],
      [other, bob.key, 'of bob', 'of ann'],
    ] as const) {
      await signIn(who, one);
      await showPanel(who, 'Edits');
      await who.getByText(own).waitFor();
      expect(await who.getByText(foreign).count()).toBe(0);
    }
    // Also while the other’s page is open.
    await edit(bearer(bob.key), 'later of bob');
    await other.getByText('later of bob').waitFor();
    expect(await page.getByText('of bob').count()).toBe(0);
    expect401();
  });

  test('does not ask behind a trusted proxy that names the user', async () => {
    const access = await startAccessApp();
    onTestFinished(() => access.app.stop());
    const { page } = await openPageOf(access.app, { extraHTTPHeaders: ADMIN });
    await page.getByText('Signed in as boss (admin)').waitFor();
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
    expect(await page.getByRole('dialog').count()).toBe(0);
    const { key } = await access.createKey();
    await page.getByRole('button', { name: 'Switch user…' }).click();
    await signIn(page, key);
    await page.getByText('Signed in as ann').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Signed in as boss (admin)').waitFor();
  });

  test.each(DEVICES)('has nothing that axe objects to, %s', async (_, device) => {
    const { page, key, expect401 } = await openSignIn(device);
    await page.evaluate(axe.source);
    const field = dialogOf(page).getByLabel('API key or token');
    expect(await field.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(await complaints(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await dialogOf(page).getByRole('alert').getByText('Enter an API key or a token.').waitFor();
    expect(await complaints(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await complaints(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign in…' }).click();
    await signIn(page, key);
    // GraphiQL's buttons are faint while the pointer is over them.
    await page.mouse.move(1, 1);
    expect(await complaints(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect401();
  });
});

test.skipIf(!hasBrowser)('the page asks for nothing without authentication', async () => {
  const { page } = await openPage();
  expect(await page.locator('.retouch-account, .retouch-sign-in').count()).toBe(0);
});

/** The page before anybody has signed in, and a key of ann. */
async function openSignIn(device = {}) {
  const access = await startAccessApp();
  onTestFinished(() => access.app.stop());
  const rig = await openPageOf(access.app, device, (page) => dialogOf(page).waitFor());
  const urls: string[] = [];
  rig.page.on('request', (request) => urls.push(request.url()));
  const { key, id } = await access.createKey();
  return {
    ...access,
    ...rig,
    key: String(key),
    id: String(id),
    urls,
    /** The browser logs each, and that a stream was cut; nothing else was wrong. */
    expect401() {
      for (const complaint of rig.takeComplaints()) {
        expect(complaint).toMatch(/\b401\b|ERR_INCOMPLETE_CHUNKED_ENCODING/);
      }
    },
  };
}

const dialogOf = (page: Page) => page.getByRole('dialog', { name: 'Sign in to Retouch' });

async function signIn(page: Page, key: string, { keep = false } = {}): Promise<void> {
  await dialogOf(page).getByLabel('API key or token').fill(key);
  if (keep) await dialogOf(page).getByLabel('Keep it for this tab').check();
  await dialogOf(page).getByRole('button', { name: 'Sign in' }).click();
  await dialogOf(page).waitFor({ state: 'hidden' });
  await untilReady(page);
}

async function writeOperation(page: Page, text: string): Promise<void> {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page
    .getByRole('region', { name: 'Operation Editor' })
    .locator('.view-line')
    .first()
    .click();
  await page.keyboard.insertText(text);
}

function storagesOf(page: Page): Promise<{ local: string; session: string }> {
  return page.evaluate(() => ({
    local: JSON.stringify(localStorage),
    session: JSON.stringify(sessionStorage),
  }));
}

/** GraphiQL's own, which we cannot mend: its tabs are buttons in buttons, its line numbers faint. */
const NOT_OURS = ['.graphiql-tabs', '.monaco-editor'];

async function complaints(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ exclude: ${JSON.stringify(NOT_OURS)}.filter((one) => document.querySelector(one)) })`,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
