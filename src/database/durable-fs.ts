import { fdatasyncSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { syncDirectorySync } from '../config/data-dir/durable-files.ts';

type EmscriptenOptions = Parameters<NodeFS['init']>[1];

/** What we use of Emscripten's NODEFS, which @electric-sql/pglite brings. */
interface NodeFsModule {
  readonly FS: {
    readonly ErrnoError: new (errno: number) => Error;
    isDir(mode: number): boolean;
  };
  readonly NODEFS: {
    readonly node_ops: { mknod(parent: FsNode, ...rest: unknown[]): FsNode };
    readonly stream_ops: { fsync?: (stream: FsStream) => 0 };
    realPath(node: FsNode): string;
    convertNodeCode(error: NodeJS.ErrnoException): number | undefined;
  };
}

interface FsNode {
  readonly parent: FsNode;
  readonly mode: number;
}

interface FsStream {
  readonly node: FsNode;
  /** Node's file descriptor. */
  readonly nfd: number;
}

/** Of WASI. */
const EIO = 29;

/**
 * A directory under PGlite in which Postgres's fsync is one: NODEFS by itself has none, and says that
 * all is well. A disk that refuses is an error of Postgres's own.
 */
export class DurableFs extends NodeFS {
  readonly #onAbort: () => void;

  /** @param onAbort Called when Postgres has ended itself, as it does when its log cannot be synced. */
  constructor(dir: string, onAbort: () => void) {
    super(dir);
    this.#onAbort = onAbort;
  }

  override async init(pglite: PGlite, options: EmscriptenOptions) {
    const { emscriptenOpts } = await super.init(pglite, options);
    const preRun = [
      ...(emscriptenOpts.preRun ?? []),
      (module: unknown) => syncForReal(module as NodeFsModule),
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun, onAbort: this.#onAbort } };
  }
}

function syncForReal({ FS, NODEFS }: NodeFsModule): void {
  const { node_ops, stream_ops } = NODEFS;
  const { mknod } = node_ops;
  /** Directories in which a file was created since. */
  const changed = new Set<string>();

  node_ops.mknod = (parent, ...rest) => {
    const node = mknod(parent, ...rest);
    changed.add(NODEFS.realPath(parent));
    return node;
  };

  function sync({ node, nfd }: FsStream): void {
    const isDirectory = FS.isDir(node.mode);
    const dir = NODEFS.realPath(isDirectory ? node : node.parent);
    if (!isDirectory) fdatasyncSync(nfd);
    // Postgres takes a new table's file for durable once it is synced, which POSIX does not promise.
    if (!isDirectory && !changed.has(dir)) return;
    syncDirectorySync(dir);
    changed.delete(dir);
  }

  stream_ops.fsync = (stream) => {
    try {
      sync(stream);
      return 0;
    } catch (error) {
      const errno = NODEFS.convertNodeCode(error as NodeJS.ErrnoException);
      throw new FS.ErrnoError(errno ?? EIO);
    }
  };
}
