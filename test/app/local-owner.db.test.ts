import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, startAccessApp } from '../support/access-app.ts';
import { hasDatabase } from '../support/database.ts';

const JOB = { ownerId: 'local', sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };

describe.runIf(hasDatabase)('the local user, after authentication was turned on', () => {
  test('is an owner if it has a history, for which an admin can act', async () => {
    const service = await startAccessApp();
    onTestFinished(() => service.app.stop());
    const owners = async () => {
      const { data } = await service.query(ADMIN, '{ owners { nodes { id createdAt } } }');
      return data.owners.nodes.filter(({ id }: { id: string }) => id === 'local');
    };
    expect(await owners()).toEqual([]);

    const createdAt = new Date('2026-11-01T00:00:00Z');
    await service.app.withDatabase((prisma) =>
      prisma.editJob.createMany({ data: { ...JOB, status: 'SUCCEEDED', createdAt } }),
    );
    expect(await owners()).toEqual([{ id: 'local', createdAt: createdAt.toISOString() }]);
    const { data } = await service.query(
      ADMIN,
      '{ owners { nodes { user { id editJobs { nodes { id } } } } } }',
    );
    const [{ user }] = data.owners.nodes.filter(
      (node: { user: { id: string } }) => node.user.id === 'local',
    );
    const deleted = await service.query(
      ADMIN,
      'mutation ($id: ID!) { deleteEdit(input: { id: $id, actingFor: "local" }) { __typename } }',
      { id: user.editJobs.nodes[0].id },
    );
    expect(deleted.data.deleteEdit.__typename).toBe('DeleteEditPayload');
  });
});
