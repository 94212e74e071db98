/** Work of several owners, one piece at a time, whose owners are served in turn. */
export interface FairQueue {
  /** Runs `work` when it is its turn: at most one piece of each other owner comes before it. */
  run<Result>(owner: string, work: () => Promise<Result>): Promise<Result>;
  /** Pieces that wait, of all owners. */
  readonly waiting: number;
  waitingOf(owner: string): number;
}

export function createFairQueue(): FairQueue {
  /** Of each owner that waits, in the order in which they are served. */
  const lines = new Map<string, (() => Promise<unknown>)[]>();
  let waiting = 0;
  let isRunning = false;

  async function serve(): Promise<void> {
    isRunning = true;
    for (let next = take(); next !== undefined; next = take()) await next();
    isRunning = false;
  }

  /** The first piece of the owner who waits longest; the owner's others go behind everyone else's. */
  function take(): (() => Promise<unknown>) | undefined {
    const [first] = lines;
    if (first === undefined) return undefined;
    const [owner, line] = first;
    lines.delete(owner);
    const piece = line.shift();
    if (line.length > 0) lines.set(owner, line);
    waiting -= 1;
    return piece;
  }

  return {
    get waiting() {
      return waiting;
    },
    waitingOf: (owner) => lines.get(owner)?.length ?? 0,
    run(owner, work) {
      return new Promise((resolve, reject) => {
        const line = lines.get(owner) ?? [];
        line.push(() => work().then(resolve, reject));
        lines.set(owner, line);
        waiting += 1;
        if (!isRunning) void serve();
      });
    },
  };
}
