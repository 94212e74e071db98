import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { ForbiddenError } from '../../src/errors.ts';
import { schema } from '../../src/schema/index.ts';

test('repriceJobs is refused to those who are no admins', async () => {
  const { data, errors } = await graphql({
    schema,
    source: 'mutation { repriceJobs(input: {}) { __typename } }',
    contextValue: { viewer: { ownerId: 'o', isAdmin: false } },
  });
  expect(data).toBeNull();
  expect(errors?.[0]?.originalError).toBeInstanceOf(ForbiddenError);
});
