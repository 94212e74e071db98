import { importExample } from './examples.ts';

type Json = ReturnType<typeof JSON.parse>;

/** A client as its example sets it up, with the example's own operations. */
export interface ExampleClient {
  /** `data` of `editImage`; rejects for errors outside the result. */
  edit(input: object, file: Blob): Promise<Json>;
  /** `data` of the subscription `editJob`, until it ends or is left. Throws what it refuses. */
  watch(id: string): AsyncIterable<Json>;
  /** `data` of `editJobs`. */
  history(): Promise<Json>;
}

const FILE = 'variables.input.images.0.file';

async function connectApollo(url: string): Promise<ExampleClient> {
  const { createRetouchClient } = await importExample('apollo/src/client.ts');
  const { EDIT, HISTORY, WATCH } = await importExample('apollo/src/operations.ts');
  const client = createRetouchClient(url);
  return {
    async edit(input, file) {
      const variables = { input: { ...input, images: [{ file }] } };
      return (await client.mutate({ mutation: EDIT, variables })).data;
    },
    watch: (id) => iterate(client.subscribe({ query: WATCH, variables: { id } })),
    history: async () => (await client.query({ query: HISTORY, fetchPolicy: 'network-only' })).data,
  };
}

async function connectUrql(url: string): Promise<ExampleClient> {
  const { createRetouchClient } = await importExample('urql/src/client.ts');
  const { EDIT, HISTORY, WATCH } = await importExample('urql/src/operations.ts');
  const client = createRetouchClient(url);
  return {
    edit: async (input, file) =>
      dataOf(await client.mutation(EDIT, { input: { ...input, images: [{ file }] } })),
    watch: (id) =>
      iterate({
        subscribe: ({ next }) => client.subscription(WATCH, { id }).subscribe(next),
      }),
    history: async () => dataOf(await client.query(HISTORY, {}, { requestPolicy: 'network-only' })),
  };
}

async function connectRelay(url: string): Promise<ExampleClient> {
  const { createEnvironment } = await importExample('relay/src/environment.ts');
  const { default: relay } = await importExample('relay/node_modules/relay-runtime/index.js');
  const environment = createEnvironment(url);
  const describe = async (name: string, variables: object) => {
    const artifact = await importExample(`relay/src/__generated__/${name}.graphql.ts`);
    return relay.createOperationDescriptor(artifact['default'], variables);
  };
  return {
    async edit(input, file) {
      const variables = { input: { ...input, images: [{ file: null }] } };
      const operation = await describe('editFormMutation', variables);
      const uploadables = { [FILE]: file };
      return (await environment.executeMutation({ operation, uploadables }).toPromise()).data;
    },
    async *watch(id) {
      const operation = await describe('liveSubscription', { id });
      yield* iterate(environment.executeSubscription({ operation }));
    },
    async history() {
      const operation = await describe('historyQuery', {});
      return (await environment.execute({ operation }).toPromise()).data;
    },
  };
}

async function connectFetch(url: string): Promise<ExampleClient> {
  const { createRetouch } = await importExample('fetch/retouch.js');
  const { EDIT, HISTORY, WATCH } = await importExample('fetch/operations.js');
  const retouch = createRetouch(url);
  return {
    edit: (input, file) =>
      retouch.upload(EDIT, { input: { ...input, images: [{ file: null }] } }, { [FILE]: file }),
    watch: (id) => retouch.watch(WATCH, { id }),
    history: () => retouch.ask(HISTORY),
  };
}

async function connectNode(url: string): Promise<ExampleClient> {
  const { createRetouch } = await importExample('node/retouch.js');
  const { EDIT, HISTORY, WATCH } = await importExample('node/operations.js');
  const retouch = createRetouch(url);
  return {
    edit: (input, file) =>
      retouch.ask(EDIT, { input: { ...input, images: [{ file }] } }, { [FILE]: file }),
    watch: (id) => retouch.watch(WATCH, { id }),
    history: () => retouch.ask(HISTORY, {}),
  };
}

export const EXAMPLE_CLIENTS = [
  { name: 'Apollo Client', connect: connectApollo },
  { name: 'urql', connect: connectUrql },
  { name: 'Relay', connect: connectRelay },
  { name: 'plain fetch', connect: connectFetch },
  { name: 'the Node script', connect: connectNode },
] as const;

interface Sink {
  next(result: Json): void;
  error(error: unknown): void;
  complete(): void;
}

/** What an observable of results tells, whatever its library. */
function iterate(results: { subscribe(sink: Sink): { unsubscribe(): void } }): AsyncIterable<Json> {
  let subscription: { unsubscribe(): void } | undefined;
  return new ReadableStream<Json>({
    start(controller) {
      subscription = results.subscribe({
        next: (result) => controller.enqueue(result),
        error: (error) => controller.error(error),
        complete: () => controller.close(),
      });
    },
    cancel: () => subscription?.unsubscribe(),
  }).pipeThrough(
    new TransformStream({
      transform: (result, controller) => controller.enqueue(dataOf(result)),
    }),
  );
}

/** As some libraries say it: `error`; and others: `errors`. */
function dataOf({ data, error, errors }: Json): Json {
  if (error ?? errors) throw error ?? new Error(errors[0].message);
  return data;
}
