import { expect, it } from 'vitest';
import { thumbnailWidth } from '../../../src/images/thumbnails/thumbnail-width.ts';

it.each([
  [1, 64],
  [64, 64],
  [65, 128],
  [257, 512],
  [1024, 1024],
])('answers for %i pixels the next larger width that is made, %i', (wanted, made) => {
  expect(thumbnailWidth(wanted)).toBe(made);
});

it.each([0, -1, 1025, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'answers null for the width %d',
  (wanted) => {
    expect(thumbnailWidth(wanted)).toBeNull();
  },
);
