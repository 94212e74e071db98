import type { ServerResponse } from 'node:http';
import type { Availability } from '../database/availability.ts';

/** Whether this process is there, and whether it can take work. */
export interface Health {
  /** `GET /health/live`: 200 while the process answers at all. */
  live(res: ServerResponse): void;
  /** `GET /health/ready`: 200 when the database answers and no stop is under way, else 503. */
  ready(res: ServerResponse): Promise<void>;
  /** From now on not ready, so that balancers look elsewhere. */
  stopping(): void;
}

export function createHealth({ availability }: { availability: Availability }): Health {
  let isStopping = false;

  return {
    live: (res) => send(res, 200, { status: 'live' }),
    async ready(res) {
      if (isStopping) return send(res, 503, { status: 'stopping' });
      const database = await availability.check();
      send(res, database ? 200 : 503, { status: database ? 'ready' : 'not ready', database });
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
