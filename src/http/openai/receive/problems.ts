import { type InputProblem, InvalidInputError, joinProblems } from '../../../errors.ts';

/** Everything that is invalid in one request, so that it is reported at once. */
export interface Problems {
  /** Notes an error, unless its fields already have a problem: one often causes another. */
  add(error: InvalidInputError): void;
  /** The result of `work`; null if it throws an InvalidInputError, which is noted. */
  try<Result>(work: () => Result): Result | null;
  /** The same for work that takes time. */
  tryLater<Result>(work: () => Promise<Result>): Promise<Result | null>;
  /** @throws InvalidInputError with all problems in the order in which they were found. */
  throwIfAny(): void;
}

export function createProblems(): Problems {
  const found: InvalidInputError[] = [];

  function note(error: unknown): null {
    if (!(error instanceof InvalidInputError)) throw error;
    found.push(error);
    return null;
  }

  function add(error: InvalidInputError): void {
    const known = new Set(found.flatMap(({ problems }) => problems.map(({ field }) => field)));
    const isNew = ({ field }: InputProblem) => !known.has(field);
    for (const { field, code, message } of error.problems.filter(isNew)) {
      found.push(new InvalidInputError(field, code, message));
    }
  }

  return {
    add,
    try(work) {
      try {
        return work();
      } catch (error) {
        return note(error);
      }
    },
    async tryLater(work) {
      try {
        return await work();
      } catch (error) {
        return note(error);
      }
    },
    throwIfAny() {
      const joined = joinProblems(found);
      if (joined !== null) throw joined;
    },
  };
}
