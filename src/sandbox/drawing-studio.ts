import pLimit from 'p-limit';
import type { OverlayOptions, Sharp } from 'sharp';
import { sharp } from '../images/sharp.ts';
import { captionSvg } from './caption.ts';
import type { EditParams } from './edit-params.ts';
import { inspectImages } from './inspect-images.ts';
import { nearestSize, type Pixels, type Scene, setScene } from './scene.ts';
import { type EncodedImage, encodedImage, type Studio } from './studio.ts';

/** One color per image of an edit, so that the ten of n = 10 are easily distinguished. */
const TINTS = [
  '#f2a03d',
  '#4fb3bf',
  '#d96c8a',
  '#7cb342',
  '#8e6cc9',
  '#e2543e',
  '#3d7fd9',
  '#c9b037',
  '#2fa37c',
  '#b86b3d',
] as const;

/**
 * Draws instead of a model: fits the first input to the size, tints and frames it, writes the
 * prompt on it, and insets the further inputs; changes nothing outside the mask. Draws one image at
 * a time, because each needs a few times its raw pixels in memory.
 */
export function createDrawingStudio(): Studio {
  const inTurn = pLimit(1);
  return {
    keepsBytes: true,
    inspect: inspectImages,
    async open(files, inputSizes, params, requestId) {
      const first = inputSizes[0] ?? { width: 1, height: 1 };
      const size = params.size === 'auto' ? nearestSize(first) : params.size;
      const keepAlpha = params.background === 'transparent';
      const scene = await inTurn(() => setScene(files, size, { keepAlpha }));
      const heading = (k: number) => `SANDBOX  ${k}/${params.n}  ${requestId.slice(-8)}`;
      const finished = (k: number) => paint(scene, params, { k, heading: heading(k) });
      return {
        size,
        image: (k) => inTurn(async () => encode(open(await finished(k)), params)),
        partial: (k, index) =>
          inTurn(async () => {
            const sigma = Math.max(size.width, size.height) / (40 * 2 ** index);
            return encode(open(await finished(k)).blur(sigma), params);
          }),
      };
    },
  };
}

async function paint(
  scene: Scene,
  params: EditParams,
  variation: { k: number; heading: string },
): Promise<Pixels> {
  const { base, region, editable } = scene;
  if (region === null) return base;
  const color = TINTS[(variation.k - 1) % TINTS.length] ?? TINTS[0];
  const overlays: OverlayOptions[] = scene.insets.map(({ pixels, left, top }) => ({
    input: pixels.data,
    raw: { width: pixels.width, height: pixels.height, channels: 4 },
    left,
    top,
  }));
  const { heading } = variation;
  const caption = { heading, prompt: params.prompt, color, centred: editable !== null };
  const { left, top } = region;
  overlays.push({ input: captionSvg(region, caption), left, top });
  if (params.background === 'transparent' && editable === null) {
    overlays.push({ input: roundedCorners(base), blend: 'dest-in' });
  }
  const tinted = await open(base).tint(color).raw().toBuffer();
  const edited = await open({ ...base, data: tinted })
    .composite(overlays)
    .raw()
    .toBuffer();
  return { ...base, data: editable === null ? edited : masked(base.data, edited, editable) };
}

/** Copies the editable runs of pixels, so that the protected ones stay identical. */
function masked(before: Buffer, after: Buffer, editable: Uint8Array): Buffer {
  const result = Buffer.from(before);
  for (let from = editable.indexOf(1); from !== -1; ) {
    const found = editable.indexOf(0, from);
    const to = found === -1 ? editable.length : found;
    after.copy(result, from * 4, from * 4, to * 4);
    from = editable.indexOf(1, to);
  }
  return result;
}

/** An image with visible transparency, even from an opaque input. */
function roundedCorners({ width, height }: Pixels): Buffer {
  const radius = Math.round(Math.min(width, height) / 6);
  const size = `width="${width}" height="${height}"`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect ${size} rx="${radius}"/></svg>`,
  );
}

function open(pixels: Pixels): Sharp {
  const { width, height } = pixels;
  return sharp(pixels.data, { raw: { width, height, channels: 4 } });
}

async function encode(drawn: Sharp, params: EditParams): Promise<EncodedImage> {
  const quality = Math.max(1, params.outputCompression);
  if (params.background !== 'transparent') drawn.removeAlpha();
  if (params.outputFormat === 'jpeg') drawn.jpeg({ quality });
  else if (params.outputFormat === 'webp') drawn.webp({ quality });
  else drawn.png({ compressionLevel: 3 });
  return encodedImage(await drawn.toBuffer());
}
