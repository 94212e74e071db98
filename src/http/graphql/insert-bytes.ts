import type { ServerResponse } from 'node:http';
import { chunkBuffer } from './chunk-buffer.ts';

/**
 * Inserts bytes in place of each placeholder when it is written to a response, without a copy. A
 * placeholder is ASCII, not a part of another one, within one chunk, and written once.
 * Content-Length must not be set yet.
 */
export function insertBytes(res: ServerResponse, given: ReadonlyMap<string, Buffer>): void {
  const left = new Map(given);
  const { write, end } = res;

  function* piecesOf(chunk: Buffer): Generator<Buffer> {
    const found = [...left.keys()]
      .map((placeholder) => ({ placeholder, at: chunk.indexOf(placeholder, 0, 'latin1') }))
      .filter(({ at }) => at >= 0)
      .sort((one, other) => one.at - other.at);
    let end = 0;
    for (const { placeholder, at } of found) {
      yield chunk.subarray(end, at);
      yield left.get(placeholder) ?? Buffer.alloc(0);
      left.delete(placeholder);
      end = at + placeholder.length;
    }
    yield chunk.subarray(end);
  }

  function writePieces(chunk: unknown, encoding: unknown): Buffer | null {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return null;
    const pieces = [...piecesOf(chunkBuffer(chunk, encoding))];
    if (left.size === 0) Object.assign(res, { write, end });
    for (const piece of pieces.slice(0, -1)) Reflect.apply(write, res, [piece]);
    return pieces.at(-1) ?? null;
  }
  const callbackOf = (args: readonly unknown[]) => args.find((one) => typeof one === 'function');

  Object.assign(res, {
    write: (...args: unknown[]) =>
      Reflect.apply(write, res, [writePieces(args[0], args[1]), callbackOf(args)].filter(Boolean)),
    end(...args: unknown[]) {
      const last = writePieces(args[0], args[1]);
      Object.assign(res, { write, end });
      return Reflect.apply(end, res, [last, callbackOf(args)].filter(Boolean));
    },
  });
}
