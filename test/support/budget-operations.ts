import type { GraphqlAnswer } from './app.ts';

/** What can send an operation. */
interface Client {
  query(query: string, variables?: object): Promise<GraphqlAnswer>;
}

const BUDGET = 'ownerId period limit used cost reserved remaining exceededBy resetsAt';

/** Answers `data.setBudget`. */
export async function setBudget(client: Client, input: object) {
  const { data, errors } = await client.query(
    /* GraphQL */ `
      mutation SetBudget($input: SetBudgetInput!) {
        setBudget(input: $input) {
          ... on SetBudgetPayload { budget { ${BUDGET} } }
          ... on InvalidInputError { field code message }
        }
      }
    `,
    { input: { ownerId: 'local', ...input } },
  );
  if (!data?.setBudget) throw new Error(JSON.stringify(errors));
  return data.setBudget;
}

export async function budgetOf(client: Client) {
  return (await client.query(`{ budget { ${BUDGET} } }`)).data.budget;
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

/** What a budget reserves for an edit, in micro-dollars; null: with a budget it is rejected. */
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
