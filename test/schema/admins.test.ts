import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { viewerOf } from '../../src/auth/visible.ts';
import { ForbiddenError } from '../../src/errors.ts';
import { schema } from '../../src/schema/index.ts';

/** The rest of the context is never come to. */
const contextValue = { viewer: viewerOf('somebody') };

test.each([
  ['repriceJobs', 'repriceJobs(input: {})'],
  ['resumeUpstream', 'resumeUpstream(input: { name: "default" })'],
  [
    'setLimit, also for themselves',
    'setLimit(input: { subject: { ownerId: "somebody" }, measure: COST, window: DAY, amount: "1" })',
  ],
  ['resolveOutcome', 'resolveOutcome(input: { id: "x", paid: false })'],
])('those who are no admins are refused %s', async (_, field) => {
  const source = `mutation { ${field} { __typename } }`;
  const { data, errors } = await graphql({ schema, source, contextValue });
  expect(data ?? null).toBeNull();
  expect(errors?.map(({ originalError }) => originalError)).toEqual([expect.any(ForbiddenError)]);
});
