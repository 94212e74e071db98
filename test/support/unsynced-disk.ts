import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UnsyncedFile } from './unsynced-file.ts';

/**
 * What lies between a directory and its disk: what was not synced since, kept apart.
 *
 * - Of a file's writes and truncations since its last fsync, each is there, lost, or torn into sectors
 *   of 512 bytes of which any are there. A sector itself is never torn, as Postgres takes for granted.
 * - Of a directory's changes (created, renamed and removed names) since its last fsync, a prefix is
 *   there: file systems keep their order, but syncing a file promises nothing of its name.
 * - What is written by other means than Node's `fs` (SQLite's lock, sharp's thumbnails) is lost.
 */
export interface UnsyncedDisk {
  /** Called before each operation that changes or syncs something. */
  onOperation: (() => void) | null;
  /** Writes to `target`, which must not exist, what the disk may hold if the power is cut now. */
  cut(target: string, random: () => number): void;
  /** From now on nothing is kept apart. */
  stop(): void;
}

type Entry = UnsyncedFile | Directory;
type Change = [name: string, before: Entry | undefined, after: Entry | undefined];

class Directory {
  readonly entries = new Map<string, Entry>();
  readonly unsynced: Change[][] = [];

  change(...changes: [name: string, after: Entry | undefined][]): void {
    this.unsynced.push(
      changes.map(([name, after]) => {
        const before = this.entries.get(name);
        set(this.entries, name, after);
        return [name, before, after];
      }),
    );
  }

  /** Its names on the disk. */
  afterCut(random: () => number): Map<string, Entry> {
    const found = new Map(this.entries);
    for (const changes of this.unsynced.toReversed()) {
      for (const [name, before] of changes) set(found, name, before);
    }
    for (const changes of this.unsynced.slice(0, prefix(this.unsynced.length, random))) {
      for (const [name, , after] of changes) set(found, name, after);
    }
    return found;
  }
}

function set(entries: Map<string, Entry>, name: string, entry: Entry | undefined): void {
  if (entry === undefined) entries.delete(name);
  else entries.set(name, entry);
}

/** Nothing, all, and what is between, each about as often. */
function prefix(length: number, random: () => number): number {
  const choice = random();
  if (choice < 1 / 3) return 0;
  return choice < 2 / 3 ? length : Math.floor(random() * (length + 1));
}

/**
 * Stands between this process's `fs` and `dir`.
 * @param shadow An empty directory on the same file system.
 */
export function keepUnsynced(dir: string, shadow: string): UnsyncedDisk {
  const root = new Directory();
  const opened = new Map<number, Entry>();
  const undo: (() => void)[] = [];
  let files = 0;
  /** An operation is made of others: they are its own business. */
  let isInside = false;
  const disk: UnsyncedDisk = { onOperation: null, cut, stop };

  const inside = <T>(work: () => T): T => {
    isInside = true;
    try {
      return work();
    } finally {
      isInside = false;
    }
  };

  function link(path: string): UnsyncedFile {
    files += 1;
    const backing = join(shadow, String(files));
    fs.linkSync(path, backing);
    return new UnsyncedFile(backing);
  }

  function walk(path: string, into: Directory): void {
    for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      const found = entry.isDirectory() ? new Directory() : link(child);
      into.entries.set(entry.name, found);
      if (found instanceof Directory) walk(child, found);
    }
  }

  function entryAt(path: string): Entry | undefined {
    const names = relative(dir, path).split(sep);
    let at: Entry | undefined = root;
    for (const name of names) {
      if (name !== '') at = at instanceof Directory ? at.entries.get(name) : undefined;
    }
    return at;
  }

  /** Null: somewhere else. */
  function inDir(path: unknown): string | null {
    if (isInside || typeof path !== 'string') return null;
    const whole = resolve(path);
    return whole === dir || whole.startsWith(dir + sep) ? whole : null;
  }

  function parentOf(path: string): [Directory, string] {
    const parent = entryAt(dirname(path));
    if (!(parent instanceof Directory)) throw new Error(`${path} is in an unknown directory`);
    return [parent, path.slice(dirname(path).length + 1)];
  }

  function fileAt(path: string): UnsyncedFile {
    const found = entryAt(path);
    if (!(found instanceof UnsyncedFile)) throw new Error(`${path} is an unknown file`);
    return found;
  }

  function tick(): void {
    inside(() => disk.onOperation?.());
  }

  /** After it was made, unless it was there before. */
  function created(path: string): void {
    if (entryAt(path) !== undefined) return;
    const [parent, name] = parentOf(path);
    const found = inside(() => fs.statSync(path));
    // It has no content, and the next start replaces it.
    if (found.isSocket()) return;
    parent.change([name, found.isDirectory() ? new Directory() : inside(() => link(path))]);
  }

  function renamed(from: string, to: string): void {
    const entry = entryAt(from);
    if (entry === undefined) {
      created(to);
      return;
    }
    const [oldParent, oldName] = parentOf(from);
    const [newParent, newName] = parentOf(to);
    if (oldParent === newParent) oldParent.change([oldName, undefined], [newName, entry]);
    else {
      newParent.change([newName, entry]);
      oldParent.change([oldName, undefined]);
    }
  }

  function removed(path: string): void {
    if (entryAt(path) === undefined) return;
    const [parent, name] = parentOf(path);
    parent.change([name, undefined]);
  }

  /** Call when it begins; the result, when it is done. */
  function syncing(entry: Entry | undefined): () => void {
    const count = entry?.unsynced.length ?? 0;
    return () => void entry?.unsynced.splice(0, count);
  }

  function cut(target: string, random: () => number): void {
    inside(() => write(root, target, random));
  }

  function write(entry: Entry, target: string, random: () => number): void {
    if (entry instanceof UnsyncedFile) entry.writeAfterCut(target, random);
    else {
      fs.mkdirSync(target);
      for (const [name, child] of entry.afterCut(random)) write(child, join(target, name), random);
    }
  }

  function stop(): void {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
  }

  // biome-ignore lint/suspicious/noExplicitAny: of whatever it stands in for.
  type Any = any;
  function replace<Target extends object>(
    target: Target,
    names: (keyof Target)[],
    make: (real: (...args: Any[]) => Any) => (...args: Any[]) => Any,
  ): void {
    for (const name of names) {
      const real = target[name];
      const bound = (...args: unknown[]) => (real as Any).apply(target, args);
      (target as Any)[name] = make(bound);
      undo.push(() => {
        target[name] = real;
      });
    }
  }

  /** One that changes names, and how that is written down. */
  const naming =
    (record: (path: string, other: string) => void) =>
    (real: (...args: Any[]) => Any) =>
    (path: Any, other: Any, ...rest: Any[]) => {
      const at = inDir(path) ?? inDir(other);
      if (at === null) return real(path, other, ...rest);
      tick();
      const done = () => record(resolve(path), typeof other === 'string' ? resolve(other) : '');
      const result = inside(() => real(path, other, ...rest));
      if (!(result instanceof Promise)) {
        done();
        return result;
      }
      return result.then((value) => {
        done();
        return value;
      });
    };

  const { promises } = fs;
  replace(fs, ['mkdirSync'], naming(created));
  replace(fs, ['renameSync'], naming(renamed));
  replace(fs, ['unlinkSync', 'rmdirSync', 'rmSync'], naming(removed));
  replace(promises, ['rename'], naming(renamed));
  replace(promises, ['unlink', 'rmdir', 'rm'], naming(removed));
  replace(
    promises,
    ['mkdir'],
    naming((path) => {
      const parents: string[] = [];
      for (let at = path; at !== dir && entryAt(at) === undefined; at = dirname(at))
        parents.push(at);
      for (const parent of parents.toReversed()) created(parent);
    }),
  );
  replace(
    promises,
    ['link'],
    naming((from, to) => {
      const [parent, name] = parentOf(to);
      parent.change([name, fileAt(from)]);
    }),
  );

  replace(fs, ['openSync'], (real) => (path, flags, ...rest) => {
    const at = inDir(path);
    if (at === null) return real(path, flags, ...rest);
    const fd: number = inside(() => real(path, flags, ...rest));
    created(at);
    const entry = entryAt(at);
    if (entry !== undefined) opened.set(fd, entry);
    return fd;
  });
  replace(fs, ['closeSync'], (real) => (fd) => {
    opened.delete(fd);
    return real(fd);
  });
  replace(fs, ['writeSync'], (real) => (fd, data, offset, length, position) => {
    const file = opened.get(fd);
    if (isInside || !(file instanceof UnsyncedFile))
      return real(fd, data, offset, length, position);
    tick();
    inside(() => file.write(data.subarray(offset, offset + length), position));
    return real(fd, data, offset, length, position);
  });
  replace(fs, ['ftruncateSync'], (real) => (fd, size) => {
    const file = opened.get(fd);
    if (file instanceof UnsyncedFile) {
      tick();
      inside(() => file.truncate(size));
    }
    return real(fd, size);
  });
  replace(fs, ['fsyncSync', 'fdatasyncSync'], (real) => (fd) => {
    if (!opened.has(fd)) return real(fd);
    tick();
    const synced = syncing(opened.get(fd));
    real(fd);
    synced();
  });
  replace(fs, ['truncateSync'], (real) => (path, size) => {
    const at = inDir(path);
    if (at !== null) {
      tick();
      inside(() => fileAt(at).truncate(size));
    }
    return inside(() => real(path, size));
  });

  function overwrite(at: string, content: string | Uint8Array): void {
    const file = fileAt(at);
    file.truncate(0);
    file.write(Buffer.from(content as string), 0);
  }
  replace(fs, ['writeFileSync'], (real) => (path, content, ...rest) => {
    const at = inDir(path);
    if (at === null) return real(path, content, ...rest);
    tick();
    const isNew = entryAt(at) === undefined;
    if (!isNew) inside(() => overwrite(at, content));
    inside(() => real(path, content, ...rest));
    created(at);
    if (isNew) inside(() => fileAt(at).created(Buffer.from(content)));
  });
  /** In one call, it would copy past all that stands here. */
  function copyTree(from: string, to: string): void {
    fs.mkdirSync(to);
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) copyTree(source, target);
      else fs.writeFileSync(target, fs.readFileSync(source));
    }
  }
  replace(
    fs,
    ['cpSync'],
    (real) => (from, to, options) =>
      inDir(to) === null ? real(from, to, options) : copyTree(from, to),
  );
  replace(promises, ['writeFile'], (real) => async (path, content, options) => {
    const at = inDir(path);
    if (at === null) return real(path, content, options);
    tick();
    if (entryAt(at) !== undefined) throw new Error('only new files are written at once');
    await real(path, content, options);
    created(at);
    if (options?.flush !== true) inside(() => fileAt(at).created(Buffer.from(content)));
  });
  replace(promises, ['appendFile'], (real) => async (path, content, ...rest) => {
    const at = inDir(path);
    if (at !== null) {
      tick();
      inside(() => fileAt(at).write(Buffer.from(content), fs.statSync(at).size));
    }
    return real(path, content, ...rest);
  });

  replace(promises, ['open'], (real) => async (path, flags, ...rest) => {
    const at = inDir(path);
    if (at === null) return real(path, flags, ...rest);
    const handle: FileHandle = await real(path, flags, ...rest);
    created(at);
    const entry = entryAt(at);
    replace(handle, ['write'], (write) => (data, offset, length, position) => {
      if (!(entry instanceof UnsyncedFile)) throw new Error(`${at} is not a file`);
      tick();
      inside(() => entry.write(data.subarray(offset, offset + length), position));
      return write(data, offset, length, position);
    });
    replace(handle, ['sync', 'datasync'], (sync) => async () => {
      tick();
      const synced = syncing(entry);
      await sync();
      synced();
    });
    return handle;
  });

  walk(dir, root);
  syncBuiltinESMExports();
  return disk;
}
