import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import {
  FIXTURE_EDITS,
  FIXTURE_SECRET_KEY,
  type FixtureEdit,
  type ReleaseFixture,
  readReleaseFixtures,
  restoreRelease,
} from '../support/release-fixtures.ts';
import { type Rig, startRig } from '../support/service-processes.ts';

const fixtures = await readReleaseFixtures();

/** This release on what an older one left behind. */
async function startOn(fixture: ReleaseFixture): Promise<Rig> {
  const testDatabase = await createTestDatabase({ isMigrated: false });
  const database = await testDatabase.open();
  await restoreRelease(fixture, { database, dataDir: testDatabase.dir });
  await database.close();
  const env = { SECRET_KEY: FIXTURE_SECRET_KEY, WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' };
  return startRig(env, {}, testDatabase);
}

async function readEdits(rig: Rig): Promise<readonly FixtureEdit[]> {
  const { data } = await rig.query(FIXTURE_EDITS);
  return data.editJobs.edges.map(({ node }: { node: FixtureEdit }) => node);
}

/** By the hash of its bytes. */
async function expectImage(rig: Rig, { id, sha256 }: { id: string; sha256: string }) {
  const { data } = await rig.query('query ($id: ID!) { image(id: $id) { url } }', { id });
  const response = await fetch(data.image.url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
}

describe.runIf(hasDatabase)('a database and a directory of an older release', () => {
  test.each(fixtures.map((fixture) => [fixture.version, fixture] as const))(
    'of %s are migrated and shown as before, and what was unfinished is finished',
    async (_, fixture) => {
      const rig = await startOn(fixture);
      const unfinished = { RUNNING: 'OUTCOME_UNKNOWN', QUEUED: 'SUCCEEDED' };
      for (const { id, status } of fixture.edits) {
        const becomes = unfinished[status as keyof typeof unfinished] ?? status;
        expect((await rig.final(id)).status).toBe(becomes);
      }
      // The one that was queued; nothing is paid again.
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });

      const edits = await readEdits(rig);
      expect(edits.map(({ id }) => id)).toEqual(fixture.edits.map(({ id }) => id));
      for (const [i, before] of fixture.edits.entries()) {
        if (!(before.status in unfinished)) expect(edits[i]).toEqual(before);
      }
      const images = edits.flatMap(({ inputImages, outputImages }) => [
        ...inputImages,
        ...outputImages,
      ]);
      expect(images.length).toBeGreaterThan(edits.length);
      for (const image of images) await expectImage(rig, image);

      const { data } = await rig.query(`{
        editJobs(search: "帽子") { totalCount }
        prompts { edges { node { text } } }
        webhooks { url deliveries { edges { node { __typename } } } }
        limits { amount measure window }
      }`);
      expect(data.editJobs.totalCount).toBe(1);
      expect(data.prompts.edges.length).toBeGreaterThan(5);
      expect(data.webhooks).toHaveLength(2);
      for (const { deliveries } of data.webhooks)
        expect(deliveries.edges.length).toBeGreaterThan(3);
      expect(data.limits).toEqual([{ amount: '25', measure: 'COST', window: 'MONTH' }]);
    },
  );
});
