import { sharp } from '../images/sharp.ts';

const SIZE_PX = 96;

/** Characters that are long, flat strokes: a placeholder for a missing character is a tall box. */
const STROKES = { latin: '\u002d', chinese: '\u4e00' } as const;

/** Whether the sandbox can write Latin and Chinese text on its images. */
export async function findCaptionFonts(): Promise<{ latin: boolean; chinese: boolean }> {
  return { latin: await isFlat(STROKES.latin), chinese: await isFlat(STROKES.chinese) };
}

async function isFlat(character: string): Promise<boolean> {
  const size = `width="${SIZE_PX}" height="${SIZE_PX}"`;
  const text = `<text x="16" y="72" font-family="sans-serif" font-size="64">${character}</text>`;
  const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${text}</svg>`);
  const { data, info } = await sharp(svg)
    .ensureAlpha()
    .extractChannel(3)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const inked = [...data.entries()].filter(([, alpha]) => alpha > 64).map(([index]) => index);
  if (inked.length === 0) return false;
  const extent = (positions: readonly number[]) =>
    Math.max(...positions) - Math.min(...positions) + 1;
  const width = extent(inked.map((index) => index % info.width));
  const height = extent(inked.map((index) => Math.floor(index / info.width)));
  return width > 2 * height;
}
