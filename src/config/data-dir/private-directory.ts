/** Mode of a directory that only this user may access. */
export const PRIVATE_DIRECTORY = 0o700;

/** Mode of a file that only this user may access. */
export const PRIVATE_FILE = 0o600;
