import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { costLimitOf, setLimit } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const RESOLVE = /* GraphQL */ `
  mutation Resolve($input: ResolveOutcomeInput!) {
    resolveOutcome(input: $input) {
      __typename
      ... on ResolveOutcomePayload {
        editJob {
          status costUnresolved cost { amount priceVersion }
          charges { cost { amount priceVersion } supersededAt }
          reservations { measure settledAt exceededBy }
        }
      }
      ... on InvalidInputError { field code }
      ... on JobNotResolvableError { status }
    }
  }
`;

const TOTALS = /* GraphQL */ `{
  usage(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") { totals { edits unresolved failed cost isCostComplete } }
}`;

describe.runIf(hasDatabase)('resolveOutcome', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ EDIT_TIMEOUT_SECONDS: '1' }, NO_DRAWING);
    await setLimit(app, { amount: '100', window: 'TOTAL' });
  });
  afterAll(() => app?.stop());

  const edit = async () => {
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'p', quality: 'LOW', wait: 30 } },
      { 'input.images.0.file': await png() },
    );
    return data.editImage.editJob;
  };
  const resolve = async (input: object) => {
    const { data, errors } = await app.query(RESOLVE, { input });
    expect(errors).toBeUndefined();
    return data.resolveOutcome;
  };

  test('settles an edit of unknown outcome with its cost, without changing its status', async () => {
    app.sandbox.faults.push({ kind: 'hang' });
    const { id, status } = await edit();
    expect(status).toBe('OUTCOME_UNKNOWN');
    const before = await costLimitOf(app);
    expect(before.settled).toBe('0');
    const usage = async () => (await app.query(TOTALS)).data.usage.totals;
    expect(await usage()).toMatchObject({ unresolved: 1, failed: 0, isCostComplete: false });

    const { editJob } = await resolve({ id, paid: true, cost: '0.25' });
    expect(editJob).toMatchObject({
      status: 'OUTCOME_UNKNOWN',
      costUnresolved: false,
      cost: { amount: '0.25', priceVersion: 'manual' },
      reservations: [{ measure: 'COST', settledAt: expect.any(String) }],
    });
    expect(await costLimitOf(app)).toMatchObject({ used: '0.25', reserved: '0' });
    expect(await usage()).toEqual({
      edits: 1,
      unresolved: 0,
      failed: 1,
      cost: '0.25',
      isCostComplete: true,
    });

    const again = await resolve({ id, paid: false });
    expect(again.editJob.charges).toEqual([
      { cost: { amount: '0.25', priceVersion: 'manual' }, supersededAt: expect.any(String) },
      { cost: { amount: '0', priceVersion: 'manual' }, supersededAt: null },
    ]);
    expect(await costLimitOf(app)).toMatchObject({ used: '0', reserved: '0' });
  });

  test('rejects a cost that does not go with paid, and an edit whose cost is known', async () => {
    const { id } = await edit();
    expect(await resolve({ id, paid: true })).toMatchObject({ field: 'cost', code: 'REQUIRED' });
    expect(await resolve({ id, paid: true, cost: '0.0000001' })).toMatchObject({ field: 'cost' });
    expect(await resolve({ id, paid: false, cost: '1' })).toMatchObject({ field: 'cost' });
    expect(await resolve({ id, paid: false })).toMatchObject({
      __typename: 'JobNotResolvableError',
      status: 'SUCCEEDED',
    });
    const unknown = await resolve({ id: 'x', paid: false });
    expect(unknown.__typename).toBe('NotFoundError');
  });

  test('is audited, as are repriceJobs and resumeUpstream', async () => {
    await app.query('mutation { repriceJobs(input: { model: "m" }) { __typename } }');
    await app.query('mutation { resumeUpstream(input: { name: "default" }) { __typename } }');
    const { data, errors } = await app.query(
      '{ auditEvents { nodes { action objectType before after requestId actorId } } }',
    );
    expect(errors).toBeUndefined();
    const events = data.auditEvents.nodes.toReversed();
    expect(events.map(({ action }: { action: string }) => action)).toEqual([
      'setLimit',
      'resolveOutcome',
      'resolveOutcome',
      'repriceJobs',
      'resumeUpstream',
    ]);
    expect(events[1]).toMatchObject({
      objectType: 'EditJob',
      before: { cost: null },
      after: { paid: true, cost: '0.25' },
      requestId: expect.any(String),
      actorId: 'local',
    });
  });
});
