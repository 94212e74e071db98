import { describe, expect, inject, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { spawnService } from '../support/processes.ts';
import { startRig } from '../support/service-processes.ts';

const kind = inject('databaseKind');

describe.runIf(hasDatabase && kind === 'postgres')('two processes on one Postgres', () => {
  test('make one job of one idempotency key, sent to both fifty times at once', async () => {
    const rig = await startRig();
    const second = await rig.startSecond();
    const input = {
      images: [{ id: rig.imageId }],
      prompt: 'once',
      idempotencyKey: 'k',
      wait: 30,
    };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? rig : second).edit(input)),
    );
    expect(new Set(answers.map(({ editJob }) => editJob.id)).size).toBe(1);
    expect(new Set(answers.map(({ editJob }) => editJob.status))).toEqual(new Set(['SUCCEEDED']));
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('run each job once, and share the work', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '2' }, { delayMs: 100 });
    const second = await rig.startSecond();
    const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => rig.submit(`job ${i}`)));
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 40, paid: 40 });
    const sent = (lines: readonly string[]) =>
      lines.filter((line) => line.includes('"msg":"edit ended"')).length;
    expect(sent(rig.service.lines)).toBeGreaterThan(0);
    expect(sent(second.lines)).toBeGreaterThan(0);
    expect(sent(rig.service.lines) + sent(second.lines)).toBe(40);
  });

  test('cancel each other’s calls: the place of a canceled edit is free again', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '1' });
    await rig.sandbox.push({ kind: 'hang' }, { kind: 'hang' });
    const second = await rig.startSecond();
    // Both have one: whichever process it is, the other one is asked to cancel it.
    const ids = [await rig.submit('a'), await rig.submit('b')];
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(2));
    const cancel = 'mutation($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }';
    for (const id of ids) {
      expect((await second.query(cancel, { id })).data.cancelEdit.__typename).toBe(
        'CancelEditPayload',
      );
    }
    const after = await Promise.all(['c', 'd'].map((prompt) => rig.submit(prompt)));
    for (const id of after) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    for (const id of ids) expect((await rig.final(id)).status).toBe('CANCELED');
  });

  test('take over what a killed one had out, and finish what it had queued', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '1' });
    await rig.sandbox.push({ kind: 'hang' });
    const sent = await rig.submit('sent');
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    const queued = await rig.submit('queued');
    const second = await rig.startSecond();
    await rig.service.kill();
    const becomes = (id: string, status: string) =>
      eventually(async () => expect((await second.job(id)).status).toBe(status), {
        interval: 100,
      });
    await becomes(queued, 'SUCCEEDED');
    await becomes(sent, 'OUTCOME_UNKNOWN');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 2, paid: 2 });
  });
});

describe.runIf(kind === 'pglite')('a second process on an embedded data directory', () => {
  test('exits naming the holder, and takes over when that one was killed', async () => {
    const rig = await startRig();
    const second = spawnService(rig.env);
    expect(await second.exited).toBe(78);
    expect(second.lines.join('\n')).toContain(`process ${rig.service.child.pid} on `);
    await rig.service.kill();
    await rig.restart();
    expect((await rig.query('{ __typename }')).httpStatus).toBe(200);
  });
});
