import type { ServerResponse } from 'node:http';

/** Whether this process is there, and whether it can take work. */
export interface Health {
  /** `GET /health/live`: 200 while the process answers at all. */
  live(res: ServerResponse): void;
  /**
   * `GET /health/ready`: 200 when all that it needs for its role answers and no stop is under way,
   * else 503; says which part does and which does not.
   */
  ready(res: ServerResponse): Promise<void>;
  /** From now on not ready, so that balancers look elsewhere. */
  stopping(): void;
}

/** @param options.checks By the name that the answer gives them. They take a few seconds at most. */
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
