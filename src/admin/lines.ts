import { StringDecoder } from 'node:string_decoder';

/**
 * Splits a stream at line feeds only. Node's `readline` also splits at U+2028 and U+2029, which JSON
 * contains as they are.
 */
export async function* splitLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.write(Buffer.from(piece))).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
