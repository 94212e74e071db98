import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { StartError } from '../../errors.ts';

/** The socket of the running service, in DATA_DIR. */
export const SOCKET_NAME = 'admin.sock';

/** Of a socket's address: 104 bytes on macOS, 108 on Linux, with a NUL. */
const MAX_PATH_BYTES = 103;

/**
 * Calls `use` with a name of the path that is short enough for a socket: the path itself, relative or
 * absolute, or one through a link in the temporary directory, which exists until `use` resolves.
 * @param path In an existing directory; the file itself may be missing.
 * @throws StartError if the temporary directory's own path is too long.
 */
export async function withShortPath<Result>(
  path: string,
  use: (shortPath: string) => Promise<Result>,
): Promise<Result> {
  const names = [path, relative(process.cwd(), path), resolve(path)];
  const short = names.find(isShort);
  if (short !== undefined) return use(short);
  const dir = await mkdtemp(join(tmpdir(), 'retouch-'));
  try {
    const link = join(dir, 'd');
    await symlink(resolve(dirname(path)), link);
    const linked = join(link, basename(path));
    if (!isShort(linked)) throw tooLong(path);
    return await use(linked);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const isShort = (path: string) => Buffer.byteLength(path) <= MAX_PATH_BYTES;

const tooLong = (path: string) =>
  new StartError(
    `the path of the socket ${JSON.stringify(path)} is too long, and so is that of the temporary directory: set TMPDIR to a shorter path.`,
    { isTemporary: false },
  );

/**
 * Whether only the directory's own user can put a file there. Otherwise another user could replace
 * the socket, and read the keys that are created through it.
 */
export async function isPrivate(dir: string): Promise<boolean> {
  const { mode } = await stat(dir);
  return (mode & 0o022) === 0;
}
