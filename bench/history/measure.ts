import { createGraphqlClient } from '../../test/support/graphql-client.ts';
import { type Anchors, OPERATIONS, type Operation, PAGE } from './operations.ts';

const WARM_UP = 5;

/** How long each operation took, in milliseconds, by its name. */
export type Latencies = ReadonlyMap<string, readonly number[]>;

/** Asks a service over HTTP for everything, one after the other. */
export async function measure(url: string, samples: number, treeId: string): Promise<Latencies> {
  const { query } = createGraphqlClient(() => url);
  const ask = async (text: string, variables: object) => {
    const { data, errors } = await query(text, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  const cursorHalfWay = async (variables: object, pages: number) => {
    let after: string | null = null;
    for (let page = 0; page < pages; page++) {
      const data = await ask(PAGE, { ...variables, first: 100, after });
      after = data.editJobs.pageInfo.endCursor;
    }
    return after ?? '';
  };
  // As deep as a tenth of the small database's history, and no deeper: it is compared with that.
  const anchors: Anchors = {
    deep: await cursorHalfWay({}, 5),
    deepByCost: await cursorHalfWay({ orderBy: { field: 'COST', direction: 'DESC' } }, 5),
    treeId,
  };
  const latencies = new Map<string, number[]>();
  for (const operation of OPERATIONS) {
    latencies.set(operation.name, await timesOf(operation, anchors));
  }
  return latencies;

  async function timesOf({ query: text, variables }: Operation, given: Anchors) {
    const times: number[] = [];
    for (let call = 0; call < WARM_UP + samples; call++) {
      const startedMs = performance.now();
      await ask(text, variables(call, given));
      times.push(performance.now() - startedMs);
    }
    return times.slice(WARM_UP);
  }
}
