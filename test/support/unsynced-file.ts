import fs from 'node:fs';

/** What disks write whole or not at all. */
const SECTOR_BYTES = 512;

interface Change {
  /** What is written at `position`; null: the file ends there from then on. */
  readonly data: Buffer | null;
  readonly position: number;
  /** What was at `position` before, and the size before. */
  readonly old: Buffer;
  readonly oldSize: number;
}

/** A file, with what has changed in it since it was last synced. */
export class UnsyncedFile {
  readonly unsynced: Change[] = [];
  readonly #backing: string;

  /** @param backing Another name of the file, which it keeps. */
  constructor(backing: string) {
    this.#backing = backing;
  }

  /** Call before it is done. */
  write(bytes: Uint8Array, position: number): void {
    if (typeof position !== 'number') throw new Error('where it is written must be said');
    this.#change(Buffer.from(bytes), position, bytes.byteLength);
  }

  /** Call before it is done. */
  truncate(size: number): void {
    this.#change(null, size, Number.POSITIVE_INFINITY);
  }

  /** Call after a new file was written at once. */
  created(content: Buffer): void {
    if (content.length === 0) return;
    this.unsynced.push({ data: content, position: 0, old: Buffer.alloc(0), oldSize: 0 });
  }

  /** Writes what the disk holds after a power cut. */
  writeAfterCut(target: string, random: () => number): void {
    if (this.unsynced.length === 0) {
      fs.copyFileSync(this.#backing, target, fs.constants.COPYFILE_FICLONE);
      return;
    }
    const content = new Content(fs.readFileSync(this.#backing));
    for (const { position, old, oldSize } of this.unsynced.toReversed()) {
      content.write(old, position);
      content.resize(oldSize);
    }
    for (const change of this.unsynced) redo(content, change, random);
    fs.writeFileSync(target, content.bytes());
  }

  #change(data: Buffer | null, position: number, length: number): void {
    const fd = fs.openSync(this.#backing, 'r');
    try {
      const oldSize = fs.fstatSync(fd).size;
      const old = Buffer.alloc(Math.max(0, Math.min(length, oldSize - position)));
      fs.readSync(fd, old, 0, old.length, position);
      this.unsynced.push({ data, position, old, oldSize });
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** As a whole, not at all, or, one time in five, sector by sector. */
function redo(content: Content, { data, position }: Change, random: () => number): void {
  const choice = random();
  if (choice < 0.4) return;
  if (data === null) {
    content.resize(position);
    return;
  }
  const isTorn = choice >= 0.8;
  for (let at = 0; at < data.length; ) {
    const end = at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES);
    if (!isTorn || random() < 0.5) content.write(data.subarray(at, end), position + at);
    at = end;
  }
}

/** Bytes that grow, with zeros where nothing was written. */
class Content {
  #buffer: Buffer;
  #length: number;

  constructor(bytes: Buffer) {
    this.#buffer = bytes;
    this.#length = bytes.length;
  }

  write(data: Buffer, position: number): void {
    this.resize(Math.max(this.#length, position + data.length));
    data.copy(this.#buffer, position);
  }

  resize(length: number): void {
    if (length < this.#length) this.#buffer.fill(0, length, this.#length);
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(2 * length);
      this.bytes().copy(larger);
      this.#buffer = larger;
    }
    this.#length = length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
