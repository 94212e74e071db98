import { expect, test } from 'vitest';
import { createProgressBar } from '../../src/cli/progress-bar.ts';

/** What the last line of a terminal shows, and the lines above it. */
function createTerminal() {
  let written = '';
  return {
    write: (text: string) => {
      written += text;
    },
    lines: () => written.split('\n').map((line) => line.split('\r\u001b[K').at(-1)),
  };
}

test('the bar is drawn over itself, and stays when its step has ended', () => {
  const { write, lines } = createTerminal();
  const { progress } = createProgressBar(write);
  progress('images', 1, 4);
  expect(lines()).toEqual([`images [${'#'.repeat(7)}${'-'.repeat(23)}] 25 % (1 of 4)`]);
  progress('images', 4, 4);
  expect(lines()).toEqual([`images [${'#'.repeat(30)}] 100 % (4 of 4)`, '']);
});

test('a step of unknown length shows how far it is', () => {
  const { write, lines } = createTerminal();
  createProgressBar(write).progress('edits', 500, null);
  expect(lines()).toEqual(['edits: 500']);
});

test('a bar whose step has not ended makes room for another line, and an ended one stays', () => {
  const { write, lines } = createTerminal();
  const bar = createProgressBar(write);
  bar.progress('images', 1, 4);
  bar.clear();
  write('The disk is slow.\n');
  bar.progress('images', 4, 4);
  bar.clear();
  write('The disk is full.\n');
  expect(lines()).toEqual([
    'The disk is slow.',
    `images [${'#'.repeat(30)}] 100 % (4 of 4)`,
    'The disk is full.',
    '',
  ]);
});
