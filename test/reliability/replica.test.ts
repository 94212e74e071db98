import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { onServer } from '../support/hostile-role.ts';
import { EDIT } from '../support/operations.ts';
import { startPostgresCluster } from '../support/postgres-cluster.ts';
import { png } from '../support/test-images.ts';

const LISTS = `query ($from: DateTime!, $to: DateTime!) {
  editJobs { totalCount edges { node { prompt { text } } } }
  viewer { editJobs { totalCount } }
  prompts { totalCount }
  usage(from: $from, to: $to) { totals { edits } }
}`;

/** The service on a primary and its standby. */
async function startWithReplica(maxLagSeconds: number) {
  const primary = await startPostgresCluster();
  if (primary === null) throw new Error('no Postgres server is installed');
  onTestFinished(primary.stop);
  const standby = await primary.startStandby();
  onTestFinished(standby.stop);
  const replicaUrl = new URL(primary.url);
  replicaUrl.port = String(standby.port);
  const app = await startTestApp({
    DATABASE_URL: primary.url,
    DATABASE_REPLICA_URL: replicaUrl.href,
    DATABASE_REPLICA_MAX_LAG_SECONDS: String(maxLagSeconds),
  });
  onTestFinished(app.stop);
  await eventually(() => expect(app.logged.join('')).toContain(USED));
  return { app, primary, standby, replicaUrl: replicaUrl.href };
}

/** A standby rejects the serializable transactions that are its default. */
const onStandby = (url: string, statement: string) =>
  onServer(url, "SET default_transaction_isolation TO 'read committed'", statement);

/** Once more than now. */
function untilLogged(app: TestApp, message: string) {
  const before = app.logged.length;
  return eventually(() => expect(app.logged.slice(before).join('')).toContain(message));
}

const USED = 'reading history from the replica';
const LEFT_ALONE = 'the read replica is away or lags';

async function edit(app: TestApp, prompt: string) {
  const input = { images: [{ file: null }], prompt, wait: 60 };
  const { data } = await app.upload(EDIT, { input }, { 'input.images.0.file': await png() });
  const { editJob } = data.editImage;
  expect(editJob).toMatchObject({ status: 'SUCCEEDED', prompt: { text: prompt } });
  return editJob;
}

/** How many edits each list and report has. */
async function countEach(app: TestApp) {
  const day = 24 * 60 * 60 * 1_000;
  const variables = {
    from: new Date(Date.now() - day).toISOString(),
    to: new Date(Date.now() + day).toISOString(),
  };
  const { data, errors } = await app.query(LISTS, variables);
  expect(errors).toBeUndefined();
  const response = await fetch(`${app.url}/export/edits?format=ndjson`);
  expect(response.status).toBe(200);
  const exported = (await response.text()).split('\n').filter((line) => line !== '');
  return {
    editJobs: data.editJobs.totalCount,
    nodes: data.editJobs.edges.length,
    viewer: data.viewer.editJobs.totalCount,
    prompts: data.prompts.totalCount,
    usage: data.usage.totals.edits,
    exported: exported.length,
  };
}

const all = (count: number) => ({
  editJobs: count,
  nodes: count,
  viewer: count,
  prompts: count,
  usage: count,
  exported: count,
});

const canRun = hasDatabase && inject('databaseKind') === 'postgres';

describe.runIf(canRun)('a read replica', () => {
  test('serves lists, reports and exports, and nothing that a client has just written', async () => {
    const { app, replicaUrl } = await startWithReplica(3_600);
    await edit(app, 'before');
    await eventually(async () => expect(await countEach(app)).toEqual(all(1)));
    await onStandby(replicaUrl, 'SELECT pg_wal_replay_pause()');
    // Which the replica does not get: what shows it reads the primary.
    const { id, outputImages } = await edit(app, 'after');
    expect(await countEach(app)).toEqual(all(1));
    const { data, errors } = await app.query(
      `query ($id: ID!, $image: ID!) {
        editJob(id: $id) { status }
        node(id: $id) { ... on EditJob { prompt { text } } }
        image(id: $image) { id }
        lineage(id: $id) { nodes { id } }
      }`,
      { id, image: outputImages[0].id },
    );
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      editJob: { status: 'SUCCEEDED' },
      node: { prompt: { text: 'after' } },
      image: { id: outputImages[0].id },
      lineage: { nodes: [{ id }] },
    });
    const { data: deleted } = await app.query(
      `mutation ($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }`,
      { id },
    );
    expect(deleted.deleteEdit.__typename).toBe('DeleteEditPayload');
    await edit(app, 'last');
    await onStandby(replicaUrl, 'SELECT pg_wal_replay_resume()');
    await eventually(async () => expect((await countEach(app)).editJobs).toBe(2));
    expect(app.logged.join('')).not.toContain('25006');
  });

  test('that lags more than it may is left alone until it has caught up', async () => {
    const { app, replicaUrl } = await startWithReplica(1);
    await edit(app, 'before');
    const leftAlone = untilLogged(app, LEFT_ALONE);
    await onStandby(replicaUrl, 'SELECT pg_wal_replay_pause()');
    await edit(app, 'after');
    await leftAlone;
    expect(await countEach(app)).toEqual(all(2));
    const used = untilLogged(app, USED);
    await onStandby(replicaUrl, 'SELECT pg_wal_replay_resume()');
    await used;
    expect(await countEach(app)).toEqual(all(2));
  });

  test('that goes away fails no request', async () => {
    const { app, standby } = await startWithReplica(3_600);
    await edit(app, 'before');
    await eventually(async () => expect(await countEach(app)).toEqual(all(1)));
    let isOver = false;
    const readers = [1, 2, 3].map(async () => {
      while (!isOver) expect(await countEach(app)).toEqual(all(1));
    });
    const leftAlone = untilLogged(app, LEFT_ALONE);
    await standby.stop();
    await leftAlone;
    isOver = true;
    await Promise.all(readers);
    await edit(app, 'after');
    expect(await countEach(app)).toEqual(all(2));
  });

  test('that is promoted, and so follows nobody, is left alone', async () => {
    const { app, standby } = await startWithReplica(1);
    const leftAlone = untilLogged(app, LEFT_ALONE);
    await standby.promote();
    await leftAlone;
    await edit(app, 'after');
    expect(await countEach(app)).toEqual(all(1));
  });
});
