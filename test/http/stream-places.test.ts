import { expect, test } from 'vitest';
import { TooManyStreamsError } from '../../src/errors.ts';
import { createStreamPlaces } from '../../src/http/stream-places.ts';

test('an owner gets no more places than the limit, and another owner still gets one', () => {
  const places = createStreamPlaces({ maxPerOwner: 2 });
  const release = places.take('a');
  places.take('a');
  expect(() => places.take('a')).toThrow(TooManyStreamsError);
  places.take('b');
  release();
  // Twice releases one.
  release();
  places.take('a');
  expect(() => places.take('a')).toThrow(TooManyStreamsError);
});
