import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { run, spawnService, startService } from '../support/processes.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');

/** What the process imports first, which kills it as it writes a line of progress. */
const killAt = (pattern: RegExp) => [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    const { write } = process.stderr;
    process.stderr.write = function (text, ...more) {
      if (${pattern}m.test(text)) process.kill(process.pid, 'SIGKILL');
      return write.call(this, text, ...more);
    };`)}`,
];

const DELETE = 'mutation($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }';

type Env = Record<string, string>;

/** Runs a command to its end. */
async function retouch(env: Env, ...args: string[]) {
  const spawned = run([CLI, ...args], env);
  const exitCode = await spawned.exited;
  return { exitCode, text: spawned.lines.join('\n') };
}

async function killed(env: Env, at: RegExp, ...args: string[]): Promise<void> {
  const spawned = run([...killAt(at), CLI, ...args], env);
  await spawned.exited;
  expect(spawned.child.signalCode, spawned.lines.join('\n')).toBe('SIGKILL');
}

/** An empty database and directory, for a service that calls the same upstream. */
async function otherPlace(rig: Rig): Promise<Env> {
  const database = await createTestDatabase({ isMigrated: false });
  onTestFinished(() => database.drop());
  return { ...rig.env, ...database.env };
}

async function serviceIn(env: Env) {
  const service = await startService(env, ({ kill }) => onTestFinished(kill));
  return { ...service, ...createGraphqlClient(() => service.url) };
}

async function historyAt(url: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ editJobs { nodes { id status prompt { text } outputImages { id bytes } } } }"}',
  });
  return (await response.json()).data.editJobs.nodes;
}

/** A rig with two edits that have ended, and a backup of them. */
async function backedUp() {
  const rig = await startRig();
  for (const prompt of ['a fox', 'a wood']) await rig.final(await rig.submit(prompt));
  await rig.answersRemoved();
  const backup = join(await temporaryDirectory(), 'backup');
  expect(await retouch(rig.env, 'backup', backup)).toMatchObject({ exitCode: 0 });
  return { rig, backup, before: await historyAt(rig.service.url) };
}

describe.runIf(hasDatabase)('a backup', () => {
  test('that is made while edits are submitted and deleted restores without a fault', async () => {
    const rig = await startRig();
    const backup = join(await temporaryDirectory(), 'backup');
    const ending = new AbortController();
    const load = (async () => {
      for (let turn = 0; !ending.signal.aborted; turn += 1) {
        const input = { prompt: `prompt ${turn}`, wait: 0 };
        const { id } = (await rig.editUpload(await noisePng(20_000), input)).editJob;
        await rig.final(id);
        if (turn % 2 === 0) {
          const { data } = await rig.query(DELETE, { id });
          expect(data.deleteEdit.__typename).toBe('DeleteEditPayload');
        }
      }
    })();
    await eventually(async () =>
      expect((await historyAt(rig.service.url)).length).toBeGreaterThan(3),
    );
    const made = await retouch(rig.env, 'backup', backup);
    ending.abort();
    await load;
    expect(made, made.text).toMatchObject({ exitCode: 0 });
    expect(await retouch(rig.env, 'verify', backup)).toMatchObject({ exitCode: 0 });

    const env = await otherPlace(rig);
    expect(await retouch(env, 'restore', backup)).toMatchObject({ exitCode: 0 });
    expect(await retouch(env, 'verify')).toMatchObject({ exitCode: 0 });
    const { url } = await serviceIn(env);
    // One that was running ends once its process is known to be gone.
    await eventually(async () => {
      for (const { status } of await historyAt(url)) {
        expect(['SUCCEEDED', 'OUTCOME_UNKNOWN']).toContain(status);
      }
    });
  });

  test.each([
    ['the rows', /^rows: /],
    ['the images', /^images: /],
  ])('that is killed while it writes %s is not there, and can be made again', async (_, at) => {
    const { rig, before } = await backedUp();
    const backup = join(await temporaryDirectory(), 'another');
    await killed(rig.env, at, 'backup', backup);
    expect(await retouch(rig.env, 'verify', backup)).toMatchObject({ exitCode: 1 });
    expect(await historyAt(rig.service.url)).toEqual(before);
    const again = await eventually(async () => {
      const made = await retouch(rig.env, 'backup', backup);
      expect(made, made.text).toMatchObject({ exitCode: 0 });
      return made;
    });
    expect(again.exitCode).toBe(0);
    expect(await retouch(rig.env, 'verify', backup)).toMatchObject({ exitCode: 0 });
  });
});

describe.runIf(hasDatabase)('a restore', () => {
  test('pays for no edit that was queued or running', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '1' }, { delayMs: 10_000 });
    const running = await rig.submit('a fox');
    await eventually(async () => expect((await rig.job(running)).status).toBe('RUNNING'));
    const queued = await rig.submit('a wood');
    const backup = join(await temporaryDirectory(), 'backup');
    expect(await retouch(rig.env, 'backup', backup)).toMatchObject({ exitCode: 0 });
    // The old installation goes on, as it may after a backup.
    for (const id of [running, queued]) await rig.final(id);
    await rig.service.kill();

    const env = await otherPlace(rig);
    expect(await retouch(env, 'restore', backup)).toMatchObject({ exitCode: 0 });
    const service = await serviceIn(env);
    for (const id of [running, queued]) {
      await eventually(async () => expect((await service.job(id)).status).toBe('OUTCOME_UNKNOWN'));
    }
    for (const prompt of ['a fox', 'a wood']) expect(await rig.paidFor(prompt)).toBe(1);
  });

  test('sends a queued edit if asked to', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '1' }, { delayMs: 10_000 });
    const running = await rig.submit('a fox');
    await eventually(async () => expect((await rig.job(running)).status).toBe('RUNNING'));
    const queued = await rig.submit('a wood');
    const backup = join(await temporaryDirectory(), 'backup');
    expect(await retouch(rig.env, 'backup', backup)).toMatchObject({ exitCode: 0 });
    await rig.service.kill();

    const env = await otherPlace(rig);
    expect(await retouch(env, 'restore', backup, '--requeue')).toMatchObject({ exitCode: 0 });
    const service = await serviceIn(env);
    await eventually(async () => expect((await service.job(queued)).status).toBe('SUCCEEDED'));
    await eventually(async () =>
      expect((await service.job(running)).status).toBe('OUTCOME_UNKNOWN'),
    );
    expect(await rig.paidFor('a wood')).toBe(1);
    expect(await rig.callsFor('a fox')).toHaveLength(1);
  });

  test('is rejected while a service runs, and changes nothing', async () => {
    const { rig, backup, before } = await backedUp();
    const refused = await retouch(rig.env, 'restore', backup, '--replace');
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.text).toMatch(/in use by process|service runs on the database/);
    expect(await historyAt(rig.service.url)).toEqual(before);
  });

  test('that is killed before it changes rows leaves them as they were', async () => {
    const { rig, backup } = await backedUp();
    await rig.final(await rig.submit('later'));
    const later = await historyAt(rig.service.url);
    await rig.service.stop();
    await killed(rig.env, /^Made a restore point/, 'restore', backup, '--replace');
    await rig.restart();
    expect(await historyAt(rig.service.url)).toEqual(later);
  });

  test('that is killed while it writes rows keeps a service from starting, until it is repeated', async () => {
    const { rig, backup, before } = await backedUp();
    const env = await otherPlace(rig);
    await killed(env, /^rows: \d{2,} of/, 'restore', backup);
    const refused = spawnService(env);
    onTestFinished(refused.kill);
    expect(await refused.exited).toBe(78);
    expect(refused.lines.join('\n')).toContain('a restore of this database did not finish');

    expect(await retouch(env, 'restore', backup)).toMatchObject({ exitCode: 0 });
    expect(await historyAt((await serviceIn(env)).url)).toEqual(before);
    expect(await retouch(env, 'verify')).toMatchObject({ exitCode: 0 });
  });
});

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')('a copy', () => {
  test('that is killed leaves the source as it was, and can be repeated', async () => {
    const { rig, backup, before } = await backedUp();
    const { DATABASE_URL = '', ...embedded } = await otherPlace(rig);
    expect(await retouch(embedded, 'restore', backup)).toMatchObject({ exitCode: 0 });
    const copy = ['copy', '--to-database', DATABASE_URL];
    await killed(embedded, /^rows: \d{2,} of/, ...copy);
    expect(await retouch(embedded, 'verify')).toMatchObject({ exitCode: 0 });

    const copied = await retouch(embedded, ...copy);
    expect(copied, copied.text).toMatchObject({ exitCode: 0 });
    const service = await serviceIn({ ...embedded, DATABASE_URL });
    expect(await historyAt(service.url)).toEqual(before);
    await service.stop();
    const source = await serviceIn(embedded);
    expect(await historyAt(source.url)).toEqual(before);
  });
});
