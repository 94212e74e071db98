import type { PrismaClient } from './database.ts';

const TIMEOUT_MS = 2_000;

/** How long an answer stands, in milliseconds: a request a second is all that it costs. */
const MAX_AGE_MS = 1_000;

/** Whether the database answers, so that a request is refused at once instead of hanging. */
export interface Availability {
  /** Takes at most 2 s; true when the database has answered within the last second. */
  check(): Promise<boolean>;
}

export function createAvailability({ prisma }: { prisma: PrismaClient }): Availability {
  let answeredMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(resolve, TIMEOUT_MS, false);
    const answer = prisma.$queryRaw`SELECT 1`.then(
      () => true,
      () => false,
    );
    try {
      const answers = await Promise.race([answer, late]);
      if (answers) answeredMs = performance.now();
      return answers;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async check() {
      if (performance.now() - answeredMs < MAX_AGE_MS) return true;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}
