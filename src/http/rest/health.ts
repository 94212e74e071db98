import type { ServerResponse } from 'node:http';

/** Liveness of this process, and its readiness for work. */
export interface Health {
  /** `GET /health/live`: 200 while the process responds. */
  live(res: ServerResponse): void;
  /**
   * `GET /health/ready`: 200 if everything that the role needs is available and no shutdown has
   * begun, else 503; lists the state of each part.
   */
  ready(res: ServerResponse): Promise<void>;
  /** Reports not ready from now on, so that load balancers use other processes. */
  stopping(): void;
}

/** @param options.checks By their names in the response. They take a few seconds at most. */
export function createHealth(options: {
  checks: Readonly<Record<string, () => boolean | Promise<boolean>>>;
}): Health {
  const checks = Object.entries(options.checks);
  let isStopping = false;

  return {
    live: (res) => send(res, 200, { status: 'live' }),
    async ready(res) {
      if (isStopping) return send(res, 503, { status: 'stopping' });
      const answers = await Promise.all(
        checks.map(async ([name, check]) => [name, await check()] as const),
      );
      const isReady = answers.every(([, isWell]) => isWell);
      const status = isReady ? 'ready' : 'not ready';
      send(res, isReady ? 200 : 503, { status, ...Object.fromEntries(answers) });
    },
    stopping() {
      isStopping = true;
    },
  };
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}
