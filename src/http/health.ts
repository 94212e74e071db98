import type { ServerResponse } from 'node:http';
import type { PrismaClient } from '../database/database.ts';

/** Whether this process is there, and whether it can take work. */
export interface Health {
  /** `GET /health/live`: 200 while the process answers at all. */
  live(res: ServerResponse): void;
  /** `GET /health/ready`: 200 when the database answers and no stop is under way, else 503. */
  ready(res: ServerResponse): Promise<void>;
  /** From now on not ready, so that balancers look elsewhere. */
  stopping(): void;
}

const TIMEOUT_MS = 2_000;

export function createHealth({ prisma }: { prisma: PrismaClient }): Health {
  let isStopping = false;

  async function databaseAnswers(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(resolve, TIMEOUT_MS, false);
    const answer = prisma.$queryRaw`SELECT 1`.then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    live: (res) => send(res, 200, { status: 'live' }),
    async ready(res) {
      if (isStopping) return send(res, 503, { status: 'stopping' });
      const database = await databaseAnswers();
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
