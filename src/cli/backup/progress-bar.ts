import type { Progress } from '../../admin/backup/progress.ts';

const WIDTH = 30;

/** How often the bar is drawn, in milliseconds. */
const DRAW_EVERY_MS = 100;

/** Draws progress as one line of a terminal, which ends with each step. */
export function progressBar(write: (text: string) => void): Progress {
  let drawnMs = Number.NEGATIVE_INFINITY;
  return (what, done, total) => {
    const isDone = done === total;
    if (!isDone && performance.now() - drawnMs < DRAW_EVERY_MS) return;
    drawnMs = performance.now();
    write(`\r\u001b[K${barOf(what, done, total)}${isDone ? '\n' : ''}`);
  };
}

function barOf(what: string, done: number, total: number | null): string {
  if (total === null) return `${what}: ${done}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * WIDTH);
  const bar = '#'.repeat(full) + '-'.repeat(WIDTH - full);
  return `${what} [${bar}] ${Math.floor(share * 100)} % (${done} of ${total})`;
}
