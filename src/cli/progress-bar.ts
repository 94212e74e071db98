import { atMostEvery, type Progress } from '../admin/progress.ts';

const WIDTH = 30;

const CLEAR_LINE = '\r\u001b[K';

/** How often the bar is drawn, in milliseconds. */
const DRAW_EVERY_MS = 100;

export interface ProgressBar {
  readonly progress: Progress;
  /** Removes a bar whose step has not ended, before another line is written. */
  clear(): void;
}

/** Draws progress as one line of a terminal, which stays when its step has ended. */
export function createProgressBar(write: (text: string) => void): ProgressBar {
  let isOpen = false;
  return {
    progress: atMostEvery(DRAW_EVERY_MS, (what, done, total) => {
      isOpen = done !== total;
      write(`${CLEAR_LINE}${barOf(what, done, total)}${isOpen ? '' : '\n'}`);
    }),
    clear() {
      if (isOpen) write(CLEAR_LINE);
      isOpen = false;
    },
  };
}

function barOf(what: string, done: number, total: number | null): string {
  if (total === null) return `${what}: ${done}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * WIDTH);
  const bar = '#'.repeat(full) + '-'.repeat(WIDTH - full);
  return `${what} [${bar}] ${Math.floor(share * 100)} % (${done} of ${total})`;
}
