/** Reports how far a long command is. `total` is null if it is not known. */
export type Progress = (what: string, done: number, total: number | null) => void;

/** How often a line is written, in milliseconds. */
const LINE_EVERY_MS = 3_000;

/** The same, passed on at most so often, but the end of each step always. */
export function atMostEvery(ms: number, progress: Progress): Progress {
  let passedMs = Number.NEGATIVE_INFINITY;
  return (what, done, total) => {
    if (done !== total && performance.now() - passedMs < ms) return;
    passedMs = performance.now();
    progress(what, done, total);
  };
}

/** Progress as lines of text, one every few seconds, and one at the end of each step. */
export function progressLines(
  write: (line: string) => void,
  { everyMs = LINE_EVERY_MS, now = () => performance.now() } = {},
): Progress {
  let writtenMs = now();
  return (what, done, total) => {
    if (done !== total && now() - writtenMs < everyMs) return;
    writtenMs = now();
    write(`${what}: ${done}${total === null ? '' : ` of ${total}`}`);
  };
}
