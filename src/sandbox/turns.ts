/** Runs at most `limit` tasks at once, in order of arrival. */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

export function createTurns(limit: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= limit) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
