import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type OperationResult } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AccessWatch, OpenedAccess } from '../../auth/access-watch.ts';
import type { Authenticator } from '../../auth/authenticator.ts';
import { type Credentials, credentialsOfPayload, hasCredentials } from '../../auth/credentials.ts';
import { ownerOf } from '../../auth/visible.ts';
import type { RequestLimits } from '../../limits/request-limits.ts';
import type { Log } from '../../log.ts';
import { toErrorResponse } from '../error-response.ts';
import type { StreamPlaces } from '../stream-places.ts';
import type { Graphql, RequestContext } from './graphql.ts';
import { toPublicResult } from './public-result.ts';

/** Limit of one message; as large as a request over HTTP. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

const MAX_OPERATIONS_PER_SOCKET = 100;

/**
 * A connection that does not respond to a ping before the next one is closed: after 30 s at most.
 */
const PING_MS = 15_000;

/** How long a client may take to respond to a close, in milliseconds. */
const CLOSE_GRACE_MS = 1_000;

/** Going Away (RFC 6455, 7.4.1): clients reconnect. */
const GOING_AWAY = 1001;

/** Try Again Later (https://www.iana.org/assignments/websocket). */
const TRY_AGAIN_LATER = 1013;

/** What is known of a connection before its client says who it is. */
type ConnectionContext = Omit<RequestContext, 'res' | 'req' | 'access'> & {
  /** Of the upgrade request; browsers send none. */
  readonly credentials: Credentials;
};

/** The graphql-transport-ws protocol on the path of the API. */
export interface GraphqlSockets {
  /**
   * Accepts a connection whose host, origin and path have been checked. It is authenticated by the
   * payload of `connection_init`, or else by the headers of the upgrade: it is closed with 4401 if
   * neither has credentials, with 4403 if they are not valid, or as soon as they no longer are.
   */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, context: ConnectionContext): void;
  /** Closes all connections so that clients reconnect, elsewhere. Idempotent. */
  stop(): Promise<void>;
}

/** One connection, as the protocol library uses it. */
interface Connection {
  readonly context: ConnectionContext & { readonly req: IncomingMessage };
  readonly request: Request;
  /** Set when the connection is authenticated. */
  access?: OpenedAccess;
  close(code: number, reason: string): void;
  readonly onClosed: (listener: () => void) => void;
}

/** Who may open a connection, and how many. */
interface Auth {
  readonly authenticator: Authenticator;
  readonly accessWatch: AccessWatch;
  readonly streamPlaces: StreamPlaces;
  readonly requestLimits: Pick<RequestLimits, 'take'>;
}

/** Yoga's executor is passed as the root value, which no resolver of ours uses. */
interface Runner {
  execute(args: ExecutionArgs): OperationResult;
  subscribe(args: ExecutionArgs): OperationResult;
}

export function createGraphqlSockets(options: {
  graphql: Graphql;
  authenticator: Authenticator;
  accessWatch: AccessWatch;
  streamPlaces: StreamPlaces;
  requestLimits: Pick<RequestLimits, 'take'>;
  /** @default 15_000 // 15 seconds */
  pingMs?: number;
}): GraphqlSockets {
  const { graphql, pingMs = PING_MS } = options;
  const { yoga } = graphql;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols,
  });
  const silent = new WeakSet<WebSocket>();
  let timer: NodeJS.Timeout | undefined;
  let isStopping = false;

  const protocol = createProtocol(graphql, options);

  function serve(socket: WebSocket, connection: Connection): void {
    const { log } = connection.context;
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the kernel has the bytes, so that a slow reader slows its stream down.
        send: (data) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) resolve();
            else socket.send(data, (error) => (error ? reject(error) : resolve()));
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => {
            take(String(data)).catch((error: unknown) => {
              log.error({ err: error }, 'could not handle a WebSocket message');
              socket.close(4500, 'Internal server error');
            });
          }),
      },
      connection,
    );
    // A broken frame, or a message that is too long; the socket closes itself.
    socket.on('error', (error) => log.debug({ err: error }, 'WebSocket failed'));
    socket.on('pong', () => silent.delete(socket));
    socket.once('close', (code, reason) => {
      closed(code, String(reason)).catch((error) =>
        log.error({ err: error }, 'could not close a WebSocket'),
      );
      if (sockets.clients.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    timer ??= setInterval(ping, pingMs);
  }

  function ping(): void {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.ping();
      }
    }
  }

  return {
    accept(req, socket, head, context) {
      if (isStopping) return void socket.destroy();
      const headers = Object.entries(req.headersDistinct).flatMap(([name, values = []]) =>
        values.map((value): [string, string] => [name, value]),
      );
      const gone = new AbortController();
      const request = new yoga.fetchAPI.Request(new URL(req.url ?? '/', context.baseUrl).href, {
        // An upgrade is a GET, for which Yoga runs no mutation. The origin has been checked by now,
        // so mutations are as safe as by POST.
        method: 'POST',
        headers,
        signal: gone.signal,
      });
      sockets.handleUpgrade(req, socket, head, (opened) => {
        opened.once('close', () => gone.abort());
        serve(opened, {
          context: { ...context, req },
          request,
          close: (code, reason) => opened.close(code, reason),
          onClosed: (listener) => opened.once('close', listener),
        });
      });
    },
    async stop() {
      isStopping = true;
      clearInterval(timer);
      const all = [...sockets.clients];
      const closed = all.map((socket) => once(socket, 'close'));
      for (const socket of all) socket.close(GOING_AWAY, 'The service is shutting down');
      const late = new AbortController();
      await Promise.race([
        Promise.all(closed),
        delay(CLOSE_GRACE_MS, undefined, { signal: late.signal }).catch(() => {}),
      ]);
      late.abort();
      for (const socket of all) socket.terminate();
      await Promise.all(closed);
    },
  };
}

/** Operations of one connection: parsed, validated and run by Yoga. */
function createProtocol(graphql: Graphql, auth: Auth) {
  const { yoga, persistedOperations, maskError, reportErrors } = graphql;
  return makeServer<Record<string, unknown>, Connection>({
    onConnect: ({ extra, connectionParams }) => admit(extra, connectionParams ?? {}, auth),
    async onSubscribe({ extra, subscriptions }, _id, params) {
      if (Object.keys(subscriptions).length > MAX_OPERATIONS_PER_SOCKET) {
        return [tooMany()];
      }
      try {
        const { request, context, access } = extra;
        if (access === undefined) throw new Error('the connection is not authenticated');
        await auth.requestLimits.take(access.viewer);
        const query = persistedOperations.documentOf(params, access.viewer) ?? '';
        const enveloped = yoga.getEnveloped({
          ...context,
          access,
          request,
          params: { ...params, query },
        });
        const document = enveloped.parse(query);
        const errors = enveloped.validate(enveloped.schema, document);
        if (errors.length > 0) return errors.map(maskError);
        return {
          schema: enveloped.schema,
          document,
          operationName: params.operationName,
          variableValues: params.variables,
          contextValue: await enveloped.contextFactory(),
          rootValue: { execute: enveloped.execute, subscribe: enveloped.subscribe },
        };
      } catch (error) {
        return [maskError(error)];
      }
    },
    execute: async (args) => {
      const result = await (args.rootValue as Runner).execute(args);
      if ('errors' in result) reportErrors(result.errors, (args.contextValue as { log: Log }).log);
      return result;
    },
    subscribe: (args) => (args.rootValue as Runner).subscribe(args),
    onNext: (_ctx, _id, _params, _args, result) => toPublicResult(result),
    onError: ({ extra }, _id, _params, errors) => {
      reportErrors(errors, extra.context.log);
      return toPublicResult({ errors }).errors ?? [];
    },
  });
}

/** Closes the connection and returns false if it is rejected. */
async function admit(
  connection: Connection,
  payload: Readonly<Record<string, unknown>>,
  auth: Auth,
): Promise<boolean> {
  const { context, close, onClosed } = connection;
  const own = credentialsOfPayload(payload);
  const credentials = hasCredentials(own) ? own : context.credentials;
  try {
    const access = { ...(await auth.authenticator.authenticate(credentials)), credentials };
    onClosed(auth.streamPlaces.take(ownerOf(access.viewer)));
    connection.access = access;
    onClosed(auth.accessWatch.watch(access, () => close(CloseCode.Forbidden, 'Access has ended')));
    return true;
  } catch (error) {
    const { status, message, fault } = toErrorResponse(error);
    if (fault === 'server') {
      context.log.error({ err: error }, 'could not authenticate');
      close(TRY_AGAIN_LATER, 'Try again later');
    } else if (status === 429) {
      close(TRY_AGAIN_LATER, reasonOf(message));
    } else if (status === 401 && !hasCredentials(credentials)) {
      close(CloseCode.Unauthorized, 'Unauthorized: send credentials in connection_init');
    } else close(CloseCode.Forbidden, reasonOf(message));
    return false;
  }
}

/** A close frame holds at most 123 bytes of reason (RFC 6455, 5.5). */
function reasonOf(message: string): string {
  return message.replace(/[^\x20-\x7e]/g, '?').slice(0, 123);
}

function tooMany(): GraphQLError {
  return new GraphQLError(
    `A connection may run at most ${MAX_OPERATIONS_PER_SOCKET} operations at once.`,
    { extensions: { code: 'TOO_MANY_OPERATIONS' } },
  );
}
