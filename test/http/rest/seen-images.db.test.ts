import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN, bearer, type Headers, startAccessApp } from '../../support/access-app.ts';
import { hasDatabase } from '../../support/database.ts';
import { databaseKind } from '../../support/database-kind.ts';
import { eventually } from '../../support/eventually.ts';

const DELETE = 'mutation ($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }';
const REVOKE = 'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }';
const DISABLE = 'mutation { updateOwner(input: { id: "carl", disabled: true }) { __typename } }';

describe.runIf(hasDatabase)('an image that was just seen', () => {
  let service: Awaited<ReturnType<typeof startAccessApp>>;
  /** The URLs of all processes. */
  let urls: string[];
  beforeAll(async () => {
    service = await startAccessApp();
    const others = databaseKind() === 'pglite' ? [] : [await service.app.startAnother()];
    urls = [service.app.url, ...others.map(({ url }) => url)];
  });
  afterAll(() => service?.app.stop());

  /** An image and its thumbnail, which the key has just seen in every process. */
  async function seen(prompt: string, ownerId = 'ann') {
    const { key, id: keyId } = await service.createKey({ ownerId });
    const { job } = await service.edit(bearer(key), prompt);
    const paths = ['', '?w=64'].map((query) => `/images/${job.inputImages[0].id}${query}`);
    const statuses = async (url: string, headers: Headers = bearer(key)) =>
      Promise.all(paths.map(async (path) => (await fetch(url + path, { headers })).status));
    for (const url of urls) expect(await statuses(url)).toEqual([200, 200]);
    return { key, keyId, jobId: job.id, statuses };
  }

  test('is not served once it was deleted, from then on and by every process', async () => {
    const { key, jobId, statuses } = await seen('to be deleted');
    const { data } = await service.query(bearer(key), DELETE, { id: jobId });
    expect(data.deleteEdit.__typename).toBe('DeleteEditPayload');
    expect(await statuses(service.app.url)).toEqual([404, 404]);
    for (const url of urls) {
      await eventually(async () => expect(await statuses(url)).toEqual([404, 404]));
    }
  });

  test('is 404 for another owner, and for credentials of none 401', async () => {
    const { statuses } = await seen('of ann');
    const { key } = await service.createKey({ ownerId: 'bob' });
    for (const url of urls) {
      expect(await statuses(url, bearer(key))).toEqual([404, 404]);
      expect(await statuses(url, {})).toEqual([401, 401]);
    }
  });

  test('is 401 for a key that is revoked, in every process', async () => {
    const { keyId, statuses } = await seen('of a key');
    await service.query(ADMIN, REVOKE, { id: keyId });
    for (const url of urls) {
      await eventually(async () => expect(await statuses(url)).toEqual([401, 401]));
    }
  });

  test('is 403 for an owner who is disabled, in every process', async () => {
    const { statuses } = await seen('of a disabled owner', 'carl');
    const { errors } = await service.query(ADMIN, DISABLE);
    expect(errors).toBeUndefined();
    for (const url of urls) {
      await eventually(async () => expect(await statuses(url)).toEqual([403, 403]));
    }
  });
});
