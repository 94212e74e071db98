import type { GraphqlAnswer } from './app.ts';

/** What can send an operation. */
interface Client {
  query(query: string, variables?: object): Promise<GraphqlAnswer>;
}

const LIMIT =
  'id subject { ownerId apiKeyId metadata { key value ownerId } } measure window timeZone amount used reserved remaining exceededBy resetsAt createdAt';

/** Sets a limit, by default on the cost of the local owner; returns `data.setLimit`. */
export async function setLimit(client: Client, input: object) {
  const { data, errors } = await client.query(
    /* GraphQL */ `
      mutation SetLimit($input: SetLimitInput!) {
        setLimit(input: $input) {
          ... on SetLimitPayload { limit { ${LIMIT} } }
          ... on InvalidInputError { field code message problems { field code } }
          ... on NotFoundError { resource id }
        }
      }
    `,
    { input: { subject: { ownerId: 'local' }, measure: 'COST', ...input } },
  );
  if (!data?.setLimit) throw new Error(JSON.stringify(errors));
  return data.setLimit;
}

export async function limitsOf(client: Client, ownerId?: string) {
  const { data, errors } = await client.query(
    `query Limits($ownerId: ID) { limits(ownerId: $ownerId) { ${LIMIT} } }`,
    { ownerId },
  );
  if (!data?.limits) throw new Error(JSON.stringify(errors));
  return data.limits;
}

/** The viewer's first limit on cost, with the part of `used` that is not reserved; null: none. */
export async function costLimitOf(client: Client) {
  const limits = await limitsOf(client);
  const limit = limits.find(({ measure }: { measure: string }) => measure === 'COST');
  if (limit === undefined) return null;
  const settled = Math.round(Number(limit.used) * 1e6) - Math.round(Number(limit.reserved) * 1e6);
  return { ...limit, settled: usd(settled) };
}

/** The most that an edit may cost, in micro-dollars. */
export async function costAtMost(client: Client, input: object): Promise<number> {
  const { data } = await client.query(
    /* GraphQL */ `
      query CostAtMost($input: EstimateEditInput!) {
        estimateEdit(input: $input) { ... on EditEstimate { costAtMost { amount } } }
      }
    `,
    { input },
  );
  return Math.round(Number(data.estimateEdit.costAtMost.amount) * 1e6);
}

/** What a limit reserves for an edit, in micro-dollars; null: under a limit it is rejected. */
export async function reservedFor(client: Client, input: object): Promise<number | null> {
  const { data, errors } = await client.query(
    /* GraphQL */ `
      query ReservedFor($input: EstimateEditInput!) {
        estimateEdit(input: $input) {
          ... on EditEstimate { reserved { amount } }
          ... on InvalidInputError { field message }
        }
      }
    `,
    { input },
  );
  const estimate = data?.estimateEdit;
  if (estimate?.reserved === undefined) throw new Error(JSON.stringify(errors ?? estimate));
  return estimate.reserved === null ? null : Math.round(Number(estimate.reserved.amount) * 1e6);
}

/** Micro-dollars as a Decimal. */
export const usd = (microUsd: number) => String(microUsd / 1e6);
