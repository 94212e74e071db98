/** Reports how far a long command is. `total` is null if it is not known. */
export type Progress = (what: string, done: number, total: number | null) => void;

/** How often a line is written, in milliseconds. */
const LINE_EVERY_MS = 3_000;

/**
 * The same, passed on at most so often, but the end of each step always.
 * @param passedMs When it was last passed on, as of `performance.now()`. @default never
 */
export function atMostEvery(
  ms: number,
  progress: Progress,
  passedMs = Number.NEGATIVE_INFINITY,
): Progress {
  let lastMs = passedMs;
  return (what, done, total) => {
    if (done !== total && performance.now() - lastMs < ms) return;
    lastMs = performance.now();
    progress(what, done, total);
  };
}

/** Progress as lines of text, one every few seconds, and one at the end of each step. */
export function progressLines(write: (line: string) => void): Progress {
  return atMostEvery(
    LINE_EVERY_MS,
    (what, done, total) => write(`${what}: ${done}${total === null ? '' : ` of ${total}`}`),
    performance.now(),
  );
}
