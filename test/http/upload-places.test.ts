import { expect, test } from 'vitest';
import { UnavailableError } from '../../src/errors.ts';
import { createUploadPlaces } from '../../src/http/upload-places.ts';

const MIB = 1024 * 1024;

test('takes uploads up to the limit, to the byte, and no more', () => {
  const places = createUploadPlaces({ maxBytes: 100 * MIB });
  places.take(60 * MIB);
  expect(() => places.take(40 * MIB + 1)).toThrow(UnavailableError);
  places.take(40 * MIB);
  expect(() => places.take(1)).toThrow(UnavailableError);
});

test('counts each as at least 8 MiB, and one of unknown length as 64 MiB', () => {
  const places = createUploadPlaces({ maxBytes: 80 * MIB });
  places.take(null);
  places.take(1);
  places.take(0);
  expect(() => places.take(0)).toThrow(UnavailableError);
});

test('takes one that is larger than the limit when it is the only one', () => {
  const places = createUploadPlaces({ maxBytes: 1 });
  const giveBack = places.take(400 * MIB);
  expect(() => places.take(1)).toThrow(UnavailableError);
  giveBack();
  places.take(400 * MIB);
});

test('takes a place back once only', () => {
  const places = createUploadPlaces({ maxBytes: 16 * MIB });
  const giveBack = places.take(1);
  places.take(1);
  giveBack();
  giveBack();
  places.take(1);
  expect(() => places.take(1)).toThrow(UnavailableError);
});
