import { createClient } from 'graphql-sse';
import { createGraphqlClient } from './graphql-client.ts';
import { png } from './test-images.ts';

const HISTORY = `{
  editJobs(first: 20, search: "rolling") {
    totalCount edges { node { id status outputImages { id url } } }
  }
}`;
const STATUS = `subscription ($id: ID!) {
  editJob(id: $id) { __typename ... on EditJobUpdate { editJob { status } } }
}`;

const FINAL = ['SUCCEEDED', 'FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'];

export interface RollingLoad {
  /** Requests that have ended so far, by what they are. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was not as it should be; the first ends the load. */
  readonly failures: readonly string[];
  /** The prompts and ids of the edits that were acknowledged. */
  readonly edits: readonly { readonly prompt: string; readonly id: string }[];
  /** Begins no more requests; resolves when those that run have ended. */
  stop(): Promise<void>;
}

/**
 * Clients that edit, upload, look at the history and subscribe, each one request after the other. No
 * request is sent twice; only a subscription is opened again when it was lost, as its specification
 * says.
 */
export function startRollingLoad({ url, imageId }: { url: string; imageId: string }): RollingLoad {
  const client = createGraphqlClient(() => url);
  const subscriptions = createClient({ url: `${url}/graphql`, retryAttempts: 100 });
  const counts: Record<string, number> = {};
  const failures: string[] = [];
  const edits: { prompt: string; id: string }[] = [];
  let isOver = false;
  let serial = 0;

  async function repeat(name: string, request: () => Promise<void>): Promise<void> {
    while (!isOver) {
      try {
        await request();
      } catch (error) {
        isOver = true;
        failures.push(`${name}: ${error}, ${error instanceof Error ? error.cause : ''}`);
      }
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }

  async function edit(wait: number): Promise<string> {
    const prompt = `rolling ${serial++}`;
    const { editJob } = await client.edit({ images: [{ id: imageId }], prompt, wait });
    edits.push({ prompt, id: editJob.id });
    return editJob.id;
  }

  /** Follows an edit to its end. */
  async function follow(): Promise<void> {
    const id = await edit(0);
    const query = { query: STATUS, variables: { id } };
    for await (const { data, errors } of subscriptions.iterate(query)) {
      if (errors) throw new Error(JSON.stringify(errors));
      const event = data?.['editJob'] as { editJob: { status: string } } | undefined;
      if (event && FINAL.includes(event.editJob.status)) return;
    }
    throw new Error('the subscription is complete');
  }

  async function upload(): Promise<void> {
    const prompt = `rolling ${serial++}`;
    const { editJob } = await client.editUpload(await png(), { prompt, wait: 0 });
    edits.push({ prompt, id: editJob.id });
  }

  async function look(): Promise<void> {
    const { data, errors, httpStatus } = await client.query(HISTORY);
    if (httpStatus !== 200 || errors) throw new Error(`${httpStatus} ${JSON.stringify(errors)}`);
    const [image] = data.editJobs.edges.flatMap(
      ({ node }: { node: { outputImages: unknown[] } }) => node.outputImages,
    );
    if (image === undefined) return;
    const response = await fetch(image.url);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`an image: ${response.status}`);
  }

  const clients = [
    repeat('waiting edits', async () => void (await edit(20))),
    repeat('waiting edits', async () => void (await edit(20))),
    repeat('subscriptions', follow),
    repeat('subscriptions', follow),
    repeat('uploads', upload),
    repeat('history', look),
    repeat('history', look),
  ];
  return {
    counts,
    failures,
    edits,
    async stop() {
      isOver = true;
      await Promise.all(clients);
      subscriptions.dispose();
    },
  };
}
