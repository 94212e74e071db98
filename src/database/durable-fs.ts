import { fdatasyncSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { syncDirectorySync } from '../config/data-dir/durable-files.ts';

type EmscriptenOptions = Parameters<NodeFS['init']>[1];

/** The parts of Emscripten's NODEFS, as bundled with @electric-sql/pglite, that we use. */
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

/** Error number of WASI. */
const EIO = 29;

/**
 * A directory in which Postgres's fsync works. NODEFS by itself ignores fsync and reports success.
 * A disk error reaches Postgres as an error.
 */
export class DurableFs extends NodeFS {
  readonly #onAbort: () => void;

  /** @param onAbort Called when Postgres aborts, for example because its log cannot be synced. */
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
  /** Directories in which files were created since the last sync. */
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
    // Postgres assumes that syncing a new file also makes its name durable, which POSIX does not
    // promise.
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
