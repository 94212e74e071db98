/** Of a directory that only this user may look into. */
export const PRIVATE_DIRECTORY = 0o700;

/** Of a file that only this user may read. */
export const PRIVATE_FILE = 0o600;
