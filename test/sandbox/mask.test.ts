import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mask, png } from '../support/test-images.ts';
import { pixels, upload, useSandbox } from './support.ts';

const start = useSandbox();

/** How many of the pixels inside and outside the middle half differ between two images. */
async function differences(before: Buffer, after: Buffer) {
  const [a, b] = await Promise.all([pixels(before), pixels(after)]);
  const { width, height } = a.info;
  expect([b.info.width, b.info.height]).toEqual([width, height]);
  const count = { inside: 0, outside: 0 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * 4;
      if (a.data.readUInt32LE(at) === b.data.readUInt32LE(at)) continue;
      const across = x >= Math.floor(width / 4) && x < (width * 3) / 4;
      const down = y >= Math.floor(height / 4) && y < (height * 3) / 4;
      count[across && down ? 'inside' : 'outside'] += 1;
    }
  }
  return count;
}

describe('a mask', () => {
  it('lets the edit change its transparent pixels and not one other', async () => {
    const { openai } = await start();
    const before = await png(1_024, 1_024);
    const answer = await openai.images.edit({
      image: await upload(before),
      mask: await upload(await mask(1_024, 1_024)),
      prompt: 'a red hat',
      size: '1024x1024',
    });
    const after = Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
    const { inside, outside } = await differences(before, after);
    expect(outside).toBe(0);
    expect(inside).toBeGreaterThan(512 * 512 * 0.95);
  });

  it('is cut like the image when the ratio changes', async () => {
    const { openai } = await start();
    const before = await png(1_536, 1_024);
    const answer = await openai.images.edit({
      image: await upload(before),
      mask: await upload(await mask(1_536, 1_024)),
      prompt: 'a red hat',
      size: '1024x1024',
    });
    const after = Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
    const cut = await sharp(before).resize(1_024, 1_024, { fit: 'cover' }).png().toBuffer();
    const [a, b] = await Promise.all([pixels(cut), pixels(after)]);
    const same = (x: number, y: number) =>
      a.data.readUInt32LE((y * 1_024 + x) * 4) === b.data.readUInt32LE((y * 1_024 + x) * 4);
    // The middle half of 1536 is 768 wide, which the cut to 1024 leaves between 128 and 896.
    expect(same(126, 512)).toBe(true);
    expect(same(130, 300)).toBe(false);
    expect(same(894, 300)).toBe(false);
    expect(same(897, 512)).toBe(true);
    expect(same(512, 254)).toBe(true);
  });

  it('with pixels that are nearly but not fully transparent changes nothing', async () => {
    const { openai } = await start();
    const before = await png(1_024, 1_024);
    const faint = await sharp({
      create: {
        width: 1_024,
        height: 1_024,
        channels: 4,
        background: { r: 0, g: 0, b: 0, alpha: 0.01 },
      },
    })
      .png()
      .toBuffer();
    const answer = await openai.images.edit({
      image: await upload(before),
      mask: await upload(faint),
      prompt: 'a red hat',
      size: '1024x1024',
    });
    const after = Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
    expect(await differences(before, after)).toEqual({ inside: 0, outside: 0 });
  });

  it('that is missing lets the edit change the whole image', async () => {
    const { openai } = await start();
    const before = await png(1_024, 1_024);
    const answer = await openai.images.edit({
      image: await upload(before),
      prompt: 'a red hat',
      size: '1024x1024',
    });
    const after = Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
    const { inside, outside } = await differences(before, after);
    expect(inside + outside).toBeGreaterThan(1_024 * 1_024 * 0.95);
  });
});
