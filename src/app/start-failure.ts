import { relative, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { toStartError } from '../database/start/start-error.ts';
import { StartError } from '../errors.ts';

/** Errors that may pass without a change of settings, such as a full disk. */
const TEMPORARY_CODES = [
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EAGAIN',
  'EBUSY',
  'EIO',
  'ESTALE',
];

/** Explains a failed start in one sentence that names the setting. Returns a defect unchanged. */
export function explainStart(error: unknown, { dataDir, database }: Config): unknown {
  if (isWithin(error, dataDir)) {
    return new StartError(
      `DATA_DIR ${JSON.stringify(dataDir)} cannot be used (${error.message}): it must be a directory that this process can write to, on a disk with free space.`,
      { isTemporary: TEMPORARY_CODES.includes(error.code ?? ''), cause: error },
    );
  }
  return toStartError(error, database.kind === 'postgres' ? 'DATABASE_URL' : 'DATA_DIR');
}

/**
 * The error that made a start fail. `onCloseError` gets the errors of closing the parts that were
 * open by then.
 */
export function withoutCloseErrors(
  error: unknown,
  onCloseError: (error: unknown) => void,
): unknown {
  const [own, ...closing] = inOrder(error);
  for (const one of closing) onCloseError(one);
  return own;
}

/** An error and those that suppressed it, in the order in which they were thrown. */
function inOrder(error: unknown): unknown[] {
  if (!(error instanceof SuppressedError)) return [error];
  return [...inOrder(error.suppressed), ...inOrder(error.error)];
}

function isWithin(error: unknown, dir: string): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('syscall' in error && 'path' in error)) return false;
  const path = relative(resolve(dir), resolve(String(error.path)));
  // Also what is above it, such as a file in place of a directory.
  return !path.startsWith('..') || resolve(dir).startsWith(resolve(String(error.path)));
}
