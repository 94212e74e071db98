import type { OpenAuth } from '../auth/open-auth.ts';
import type { Config } from '../config/config.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Log } from '../log.ts';
import type { Services } from '../schema/context.ts';
import { loadSubgraph, schema } from '../schema/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import type { Graphql } from './graphql/graphql.ts';
import { createGraphql } from './graphql/graphql.ts';
import { createGraphqlSockets, type GraphqlSockets } from './graphql/graphql-sockets.ts';
import type { OperationList } from './graphql/persisted/operation-list.ts';
import { createPersistedOperations } from './graphql/persisted/persisted-operations.ts';
import { createStreamPlaces } from './stream-places.ts';
import type { TakePlace } from './upload-places.ts';

/** A schema with its servers for each transport. */
export interface Endpoint {
  readonly graphql: Graphql;
  readonly sockets: GraphqlSockets;
}

/** An endpoint that is opened when it is first asked for. */
export interface LazyEndpoint {
  readonly path: string;
  open(): Promise<Endpoint>;
  /** Accepts a WebSocket, once the endpoint is open. */
  accept: GraphqlSockets['accept'];
  /** Undefined if nobody has asked for it. */
  opened(): Promise<Endpoint> | undefined;
}

/** Both schemas behind every transport. They share the limits. */
export function openEndpoints(options: {
  config: Config;
  auth: OpenAuth;
  requestLimits: RequestLimits;
  services: Services;
  operationList: OperationList;
  takePlace: TakePlace;
  traces: Traces;
  metrics: Metrics;
  log: Log;
}): readonly LazyEndpoint[] {
  const { config, services, requestLimits, operationList, takePlace, log } = options;
  const { traces, metrics } = options;
  const { authenticator, accessWatch } = options.auth;
  const streamPlaces = createStreamPlaces();
  const persistedOperations = createPersistedOperations({
    list: operationList,
    only: config.persistedOperations.only,
  });
  const common = {
    services,
    maxFileBytes: config.limits.imageBytes,
    takePlace,
    accessWatch,
    streamPlaces,
    persistedOperations,
    traces,
    metrics,
    log,
  };
  const serve = (graphql: Graphql): Endpoint => ({
    graphql,
    sockets: createGraphqlSockets({
      graphql,
      authenticator,
      accessWatch,
      streamPlaces,
      requestLimits,
    }),
  });
  return [
    openLater('/graphql', async (path) => serve(createGraphql({ ...common, path, schema }))),
    // On a path of its own: a gateway must not see `Query.node`, which clients need.
    openLater('/graphql/subgraph', async (path) => {
      const subgraph = await loadSubgraph(config.http.subgraphTypePrefix);
      return serve(createGraphql({ ...common, path, schema: subgraph }));
    }),
  ];
}

function openLater(path: string, open: (path: string) => Promise<Endpoint>): LazyEndpoint {
  let opened: Promise<Endpoint> | undefined;
  const openOnce = () => (opened ??= open(path));
  return {
    path,
    open: openOnce,
    opened: () => opened,
    accept(req, socket, head, context) {
      openOnce().then(
        ({ sockets }) => sockets.accept(req, socket, head, context),
        (error: unknown) => {
          context.log.error({ err: error }, 'could not open an endpoint');
          socket.destroy();
        },
      );
    },
  };
}
