import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { base64Length, base64Text } from '../../../src/http/openai/base64-text.ts';

async function* chunksOf(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('base64 text', () => {
  test.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 1],
    [1_000, 7],
    [49_152, 1_000],
    [49_153, 49_153],
    [200_000, 65_536],
  ])('of %i bytes in chunks of %i is that of the whole', async (length, size) => {
    const bytes = randomBytes(length);
    const pieces = await Array.fromAsync(base64Text(chunksOf(bytes, size)));
    const text = Buffer.concat(pieces).toString();
    expect(text).toBe(bytes.toString('base64'));
    expect(base64Length(length)).toBe(text.length);
  });

  test('yields pieces that stay valid, though the chunks are reused', async () => {
    const memory = Buffer.alloc(48 * 1024);
    async function* reused() {
      for (const value of [1, 2]) yield memory.fill(value);
    }
    const pieces = await Array.fromAsync(base64Text(reused()));
    const decoded = Buffer.from(Buffer.concat(pieces).toString(), 'base64');
    expect([decoded.at(0), decoded.at(-1)]).toEqual([1, 2]);
  });
});
