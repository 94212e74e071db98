import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectLoaded } from '../support/expect-loaded.ts';
import { hasBrowser, openPage, showPanel } from '../support/open-page.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const AUTH = {
  AUTH_HEADER: 'x-user',
  AUTH_HEADER_SCOPES: 'read,edit',
  TRUSTED_PROXIES: '127.0.0.1',
};
const USER = { 'x-user': 'ann' };

describe.skipIf(!hasBrowser)('the page, with authentication', () => {
  test('shows images by signed URLs, and requests new ones once before they expire', async () => {
    const { app, page, proxy } = await openPage({ extraHTTPHeaders: USER }, AUTH);
    await edit(app.url);
    await page.clock.install();
    await page.reload();
    await showPanel(page, 'Edits');
    const image = page.locator('.retouch-edit img').first();
    await expectLoaded(image);
    expect(await image.getAttribute('src')).toMatch(/\?w=512&expires=\d+&signature=/);

    const requests = () => proxy.take().filter(({ path }) => path.endsWith('/graphql')).length;
    requests();
    await page.clock.runFor('10:00');
    expect(requests()).toBe(0);
    await page.clock.fastForward('01:10:00');
    await eventually(() => expect(requests()).toBe(1));
    await page.clock.runFor('05:00');
    expect(requests()).toBe(0);
    await expectLoaded(image);
  });
});

async function edit(url: string): Promise<void> {
  const uploaded = await fetch(`${url}/images`, {
    method: 'POST',
    headers: { ...USER, 'content-type': 'image/png' },
    body: new Uint8Array(await png()),
  });
  const { id } = (await uploaded.json()) as { id: string };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...USER, 'content-type': 'application/json' },
    body: JSON.stringify({
      query: EDIT,
      variables: { input: { images: [{ id }], prompt: 'to be shown' } },
    }),
  });
  expect(await response.json()).not.toHaveProperty('errors');
}
