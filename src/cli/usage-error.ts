/** The command line itself is wrong: its usage is printed, and the exit status is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A value is wrong: one sentence is printed, and the exit status is 1. */
export class ValueError extends Error {
  override name = 'ValueError';
}
