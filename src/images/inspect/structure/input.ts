/** A file that its format's decoders cannot read to its end. The message completes "the image …". */
export class BrokenStructureError extends Error {}

/** More than one frame. */
export class AnimationError extends Error {}

/** Where `find` stops in `chunk`, searched from `from` on; -1 when it needs the next chunk. */
export type Find = (chunk: Uint8Array, from: number) => number;

/** Each takes a microsecond, however short. The largest of real files have some thousands. */
const MAX_PIECES = 100_000;

type Steps<T> = Generator<undefined, T, undefined>;

/**
 * A file that arrives piece by piece, as a parser reads it: with `yield*`, in order, once. No method
 * holds more than the bytes that it returns. All throw BrokenStructureError where the file ends.
 */
export class Input {
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #before = 0;
  #ended = false;
  #pieces = 0;

  /** How many bytes were read so far. */
  get offset(): number {
    return this.#before + this.#at;
  }

  /** The chunk may be changed once the parser has come back. */
  push(chunk: Uint8Array): void {
    this.#before += this.#chunk.length;
    this.#chunk = chunk;
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  /** Called where a segment or chunk begins: a file may have 100,000 of them. */
  beginPiece(): void {
    this.#pieces += 1;
    if (this.#pieces > MAX_PIECES) {
      throw new BrokenStructureError(
        `has more than ${MAX_PIECES.toLocaleString('en-US')} segments`,
      );
    }
  }

  /** Exactly `bytes` bytes, copied. */
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

  /** Goes on to what `find` finds, which is read next. */
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

/** What a parser returns, and whether it has. */
export interface PushParser<T> {
  /** True once the parser needs no more: the rest of the file is not part of the image. */
  readonly isDone: boolean;
  /** The chunk may be changed afterwards. @throws what the parser throws. */
  write(chunk: Uint8Array): void;
  /** The file has ended. @throws what the parser throws. */
  end(): T;
}

/** Runs a parser that pulls on a file that is pushed. */
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
