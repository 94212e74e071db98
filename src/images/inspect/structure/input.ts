/** Decoders of its format cannot read the file to the end. The message completes "the image …". */
export class BrokenStructureError extends Error {}

/** More than one frame. */
export class AnimationError extends Error {}

/** Returns where in `chunk` to stop, searching from `from` on; -1 if it needs the next chunk. */
export type Find = (chunk: Uint8Array, from: number) => number;

/** Each takes a microsecond, however short it is. Real files have at most some thousands. */
const MAX_PIECES = 100_000;

type Steps<T> = Generator<undefined, T, undefined>;

/**
 * A parser's input, which arrives in chunks. The parser reads it with `yield*`, in order, once. No
 * method buffers more than the bytes that it returns. All throw BrokenStructureError at the end of
 * the file.
 */
export class Input {
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #before = 0;
  #ended = false;
  #pieces = 0;

  /** Number of bytes read so far. */
  get offset(): number {
    return this.#before + this.#at;
  }

  /** The caller may reuse the chunk once the parser has returned. */
  push(chunk: Uint8Array): void {
    this.#before += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  /** Call at the start of each segment or chunk: a file may have 100,000 of them. */
  beginPiece(): void {
    this.#pieces += 1;
    if (this.#pieces > MAX_PIECES) {
      throw new BrokenStructureError(
        `has more than ${MAX_PIECES.toLocaleString('en-US')} segments`,
      );
    }
  }

  /** Reads exactly `bytes` bytes, as a copy. */
  *take(bytes: number): Steps<Buffer> {
    const taken = Buffer.allocUnsafe(bytes);
    for (let filled = 0; filled < bytes; ) {
      if (this.#at === this.#chunk.length) yield* this.#wait();
      const part = this.#chunk.subarray(this.#at, this.#at + bytes - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return taken;
  }

  *skip(bytes: number): Steps<void> {
    for (let left = bytes; left > 0; ) {
      if (this.#at === this.#chunk.length) yield* this.#wait();
      const step = Math.min(left, this.#chunk.length - this.#at);
      left -= step;
      this.#at += step;
    }
  }

  /** Skips to the position that `find` finds. */
  *skipTo(find: Find): Steps<void> {
    for (;;) {
      const found = find(this.#chunk, this.#at);
      this.#at = found < 0 ? this.#chunk.length : found;
      if (found >= 0) return;
      yield* this.#wait();
    }
  }

  *#wait(): Steps<void> {
    do {
      if (this.#ended) throw new BrokenStructureError('ends too early');
      yield;
    } while (this.#at === this.#chunk.length);
  }
}

/** A parser that chunks are pushed into. */
export interface PushParser<T> {
  /** True once the parser needs no more data. The rest of the file does not belong to the image. */
  readonly isDone: boolean;
  /** The caller may reuse the chunk afterwards. @throws the parser's errors. */
  write(chunk: Uint8Array): void;
  /** Call at the end of the file. @throws the parser's errors. */
  end(): T;
}

/** Runs a pulling parser on a file that arrives in chunks. */
export function createPushParser<T>(parse: (input: Input) => Steps<T>): PushParser<T> {
  const input = new Input();
  const steps = parse(input);
  let last = steps.next();
  return {
    get isDone() {
      return last.done === true;
    },
    write(chunk) {
      if (last.done) return;
      input.push(chunk);
      last = steps.next();
    },
    end() {
      input.end();
      if (!last.done) last = steps.next();
      if (!last.done) throw new Error('The parser is waiting at the end of its input.');
      return last.value;
    },
  };
}
