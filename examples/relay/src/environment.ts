import { createClient } from 'graphql-sse';
import {
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  Store,
  type UploadableMap,
  type Variables,
} from 'relay-runtime';

/** @param url Such as http://127.0.0.1:4000/graphql */
export function createEnvironment(url: string) {
  const events = createClient({ url });
  return new Environment({
    network: Network.create(
      async ({ text }, variables, _cacheConfig, uploadables) => {
        const operation = { query: text, variables };
        const response = await fetch(url, {
          method: 'POST',
          ...(uploadables ? withFiles(operation, uploadables) : asJson(operation)),
        });
        return response.json();
      },
      ({ text, name }, variables) =>
        Observable.create((sink) =>
          events.subscribe(
            { query: text ?? '', operationName: name, variables },
            {
              next: (result) => sink.next(result as GraphQLResponse),
              error: (error) => sink.error(asError(error)),
              complete: sink.complete,
            },
          ),
        ),
    ),
    store: new Store(new RecordSource()),
  });
}

interface Operation {
  query: string | null | undefined;
  variables: Variables;
}

function asJson(operation: Operation): RequestInit {
  return {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  };
}

/** The names of the files say where they belong, such as `variables.input.images.0.file`. */
function withFiles(operation: Operation, files: UploadableMap): RequestInit {
  const names = Object.keys(files);
  const body = new FormData();
  body.set('operations', JSON.stringify(operation));
  body.set('map', JSON.stringify(Object.fromEntries(names.map((name) => [name, [name]]))));
  for (const name of names) body.set(name, files[name] as Blob);
  return { headers: { 'apollo-require-preflight': 'true' }, body };
}

function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  const [first] = Array.isArray(error) ? error : [];
  return new Error(first?.message ?? 'The connection was lost.');
}
