import sharp from 'sharp';
import {
  cameraExif,
  exifSegment,
  jpegSegment,
  jpegSegments,
  multiImage,
  pngChunk,
  pngChunks,
  riffChunk,
  riffChunks,
} from './image-files.ts';

type Random = () => number;

/** How a file is made of parts, of which each has the number of its bytes in its head. */
interface Format {
  readonly file: Buffer;
  /** The head of the file, then its parts. */
  readonly parts: readonly Buffer[];
  /** Parts of other kinds, and what may stand in the place of the length. */
  readonly others: readonly Buffer[];
  writeLength(part: Buffer, length: number): void;
}

const NASTY_LENGTHS = [0, 1, 2, 3, 4, 7, 8, 255, 256, 65_534, 65_535, 2 ** 24, 2 ** 31 - 1];
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Images whose structure is wrong in a place or several, the same for the same seed: lengths and
 * dimensions, parts left out, doubled, swapped or foreign, cut, one behind another, changed bytes.
 */
export async function createImageFuzz(random: Random): Promise<() => Buffer> {
  const formats = await allFormats();

  return () => {
    const { file, parts, others, writeLength } = pick(random, formats);
    let made: readonly Buffer[] = parts;
    for (let go = true; go; go = chance(random, 0.4)) {
      made = changeParts(random, made, { others, writeLength });
    }
    const whole = chance(random, 0.85) ? Buffer.concat(made) : Buffer.from(file);
    return changeBytes(
      random,
      whole,
      formats.map((one) => one.file),
    );
  };
}

function changeParts(
  random: Random,
  parts: readonly Buffer[],
  { others, writeLength }: Pick<Format, 'others' | 'writeLength'>,
): readonly Buffer[] {
  const at = int(random, parts.length);
  const part = Buffer.from(parts[at] ?? Buffer.alloc(0));
  const changed = [...parts];
  pick<() => unknown>(random, [
    () => changed.splice(at, 1),
    () => changed.splice(at, 0, ...Array.from({ length: 1 + int(random, 50) }, () => part)),
    () => changed.splice(at, 1, ...changed.splice(int(random, changed.length), 1)),
    () => changed.splice(at, 0, pick(random, others)),
    () => {
      if (part.length < 8) return;
      writeLength(
        part,
        chance(random, 0.7) ? pick(random, NASTY_LENGTHS) : int(random, MAX_UINT32),
      );
      changed[at] = part;
    },
    () => changed.splice(at, 1, part.subarray(0, int(random, part.length))),
    // Dimensions and flags stand near the beginning of a part.
    () => {
      for (let times = 1 + int(random, 4); times > 0; times -= 1) {
        part[int(random, Math.min(part.length, 32))] = pick(random, [0, 1, 127, 128, 255]);
      }
      changed[at] = part;
    },
  ])();
  return changed;
}

function changeBytes(random: Random, whole: Buffer, files: readonly Buffer[]): Buffer {
  if (chance(random, 0.2)) return whole.subarray(0, int(random, whole.length + 1));
  if (chance(random, 0.1)) return Buffer.concat([whole, pick(random, files)]);
  if (chance(random, 0.1)) return Buffer.concat([whole, whole.subarray(int(random, whole.length))]);
  if (chance(random, 0.2)) {
    for (let times = 1 + int(random, 10); times > 0 && whole.length > 0; times -= 1) {
      whole[int(random, whole.length)] = int(random, 256);
    }
  }
  return whole;
}

async function allFormats(): Promise<readonly Format[]> {
  const image = sharp({ create: { width: 40, height: 30, channels: 4, background: '#40a0c080' } });
  const [png, jpeg, webp, lossless, gif] = await Promise.all([
    image.clone().png().toBuffer(),
    image.clone().jpeg().toBuffer(),
    image.clone().webp({ quality: 50 }).toBuffer(),
    image.clone().webp({ lossless: true }).toBuffer(),
    image.clone().gif().toBuffer(),
  ]);
  const photo = Buffer.concat([
    jpeg.subarray(0, 2),
    exifSegment(cameraExif()),
    jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>'),
    jpeg.subarray(2),
  ]);
  return [
    pngFormat(png),
    jpegFormat(photo),
    jpegFormat(multiImage([photo, jpeg, jpeg])),
    webpFormat(webp),
    webpFormat(lossless),
    { file: gif, parts: [gif.subarray(0, 13), gif.subarray(13)], others: [gif], writeLength() {} },
  ];
}

function pngFormat(file: Buffer): Format {
  return {
    file,
    parts: [file.subarray(0, 8), ...pngChunks(file).map(({ bytes }) => bytes)],
    others: [
      pngChunk('IEND'),
      pngChunk('acTL', Buffer.from([0, 0, 0, 9, 0, 0, 0, 0])),
      pngChunk('fcTL', Buffer.alloc(26, 1)),
      pngChunk('eXIf', cameraExif()),
      pngChunk('iCCP', 'x\0\0no profile'),
      pngChunk('tRNS', Buffer.alloc(6)),
      pngChunk('PLTE', Buffer.alloc(7)),
      pngChunk('IDAT', Buffer.alloc(300, 255)),
      pngChunk('\0\xff  ', 'x'),
    ],
    writeLength: (part, length) => part.writeUInt32BE(length),
  };
}

function jpegFormat(file: Buffer): Format {
  return {
    file,
    parts: [file.subarray(0, 2), ...jpegSegments(file).map(({ bytes }) => bytes)],
    others: [
      Buffer.from([0xff, 0xd8]),
      Buffer.from([0xff, 0xd9]),
      Buffer.alloc(5_000, 0xff),
      Buffer.from([0xff, 0xd0, 0xff, 0x01, 0xff, 0x00]),
      jpegSegment(0xe2, 'MPF\0II*\0\xff\xff\xff\xff'),
      jpegSegment(0xe1, 'Exif\0\0II*\0\x08\0\0\0\xff\xff'),
      jpegSegment(0xe2, 'ICC_PROFILE\0\x01\xff'),
      jpegSegment(0xc2, Buffer.from([8, 255, 255, 255, 255, 3])),
      jpegSegment(0xee, 'Adobe\0d\0\0\0\0\x02'),
      jpegSegment(0xe1, Buffer.alloc(65_533)),
    ],
    writeLength: (part, length) => part.writeUInt16BE(length % 65_536, 2),
  };
}

function webpFormat(file: Buffer): Format {
  const extended = Buffer.from([0xff, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
  return {
    file,
    parts: [file.subarray(0, 12), ...riffChunks(file).map(({ bytes }) => bytes)],
    others: [
      riffChunk('VP8X', extended),
      riffChunk('VP8X', Buffer.alloc(10, 255)),
      riffChunk('ANIM', Buffer.alloc(6)),
      riffChunk('ANMF', Buffer.alloc(24, 1)),
      riffChunk('EXIF', cameraExif()),
      riffChunk('ALPH', Buffer.alloc(9)),
      riffChunk('RIFF', 'WEBP'),
      riffChunk('', ''),
    ],
    writeLength: (part, length) => part.writeUInt32LE(length, 4),
  };
}

const chance = (random: Random, probability: number) => random() < probability;
const int = (random: Random, below: number) => Math.floor(random() * below);
function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[int(random, items.length)] as Item;
}
