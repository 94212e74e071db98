import { describe, expect, test } from 'vitest';
import { checkAll, checkEach, InvalidInputError, joinProblems } from '../src/errors.ts';

const invalid = (field: string) => () => {
  throw new InvalidInputError(field, 'INVALID_VALUE', `${field} is invalid.`);
};

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('checkAll', () => {
  test('returns the results under the keys of the checks', () => {
    expect(checkAll({ a: () => 1, b: () => 'x' })).toEqual({ a: 1, b: 'x' });
  });

  test('runs every check, and throws the problems of all in order', () => {
    let ran = 0;
    const error = thrownBy(() =>
      checkAll({
        z: invalid('z'),
        nested: () => checkEach(['b', 'a'], (name) => invalid(name)()),
        fine: () => {
          ran += 1;
        },
        y: invalid('y'),
      }),
    );
    expect(ran).toBe(1);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: 'z', message: 'z is invalid.' });
    expect((error as InvalidInputError).problems.map(({ field }) => field)).toEqual([
      'z',
      'b',
      'a',
      'y',
    ]);
  });

  test('throws any other error at once', () => {
    const defect = new Error('defect');
    const broken = () => {
      throw defect;
    };
    expect(thrownBy(() => checkAll({ a: invalid('a'), b: broken, c: invalid('c') }))).toBe(defect);
  });
});

test('joining no problems gives no error', () => {
  expect(joinProblems([])).toBeNull();
});
