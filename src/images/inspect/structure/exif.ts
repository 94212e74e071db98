/**
 * The EXIF metadata that is forwarded (CIPA DC-008): how to show the image, and nothing about its
 * origin.
 */
export interface DisplayExif {
  /** 1 to 8; null if absent. */
  readonly orientation: number | null;
  /** Numerator and denominator; null if absent. */
  readonly xResolution: readonly [number, number] | null;
  readonly yResolution: readonly [number, number] | null;
  /** 2: inch, 3: centimetre; null if absent. */
  readonly resolutionUnit: number | null;
}

const Tag = {
  ORIENTATION: 0x0112,
  X_RESOLUTION: 0x011a,
  Y_RESOLUTION: 0x011b,
  RESOLUTION_UNIT: 0x0128,
} as const;

const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
const ENTRY_BYTES = 12;

const NOTHING: DisplayExif = {
  orientation: null,
  xResolution: null,
  yResolution: null,
  resolutionUnit: null,
};

/**
 * Reads the first directory of a TIFF structure. Unreadable fields count as absent. Never throws.
 */
export function readDisplayExif(tiff: Buffer): DisplayExif {
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return NOTHING;
  const isLittle = order === 'II';
  const u16 = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = u32(4);
  if (u16(2) !== 42 || directory + 2 > tiff.length) return NOTHING;

  const found = { ...NOTHING } as { -readonly [Key in keyof DisplayExif]: DisplayExif[Key] };
  const whole = (at: number, type: number, min: number, max: number) => {
    const value = type === SHORT ? u16(at + 8) : type === LONG ? u32(at + 8) : 0;
    return value >= min && value <= max ? value : null;
  };
  const rational = (at: number, type: number) => {
    const place = u32(at + 8);
    if (type !== RATIONAL || place + 8 > tiff.length) return null;
    const [numerator, denominator] = [u32(place), u32(place + 4)];
    return numerator > 0 && denominator > 0 ? ([numerator, denominator] as const) : null;
  };
  const count = u16(directory);
  for (let index = 0; index < count; index += 1) {
    const at = directory + 2 + index * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) break;
    const type = u16(at + 2);
    if (u32(at + 4) !== 1) continue;
    switch (u16(at)) {
      case Tag.ORIENTATION:
        found.orientation ??= whole(at, type, 1, 8);
        break;
      case Tag.X_RESOLUTION:
        found.xResolution ??= rational(at, type);
        break;
      case Tag.Y_RESOLUTION:
        found.yResolution ??= rational(at, type);
        break;
      case Tag.RESOLUTION_UNIT:
        found.resolutionUnit ??= whole(at, type, 2, 3);
        break;
    }
  }
  return found;
}

/** A TIFF structure with only these fields; null if there are none. */
export function writeDisplayExif(exif: DisplayExif): Buffer | null {
  const { orientation, xResolution, yResolution, resolutionUnit } = exif;
  const hasDensity = xResolution !== null && yResolution !== null;
  const fields: (readonly [tag: number, value: number | readonly [number, number]])[] = [];
  if (orientation !== null) fields.push([Tag.ORIENTATION, orientation]);
  if (hasDensity) {
    fields.push([Tag.X_RESOLUTION, xResolution], [Tag.Y_RESOLUTION, yResolution]);
    if (resolutionUnit !== null) fields.push([Tag.RESOLUTION_UNIT, resolutionUnit]);
  }
  if (fields.length === 0) return null;

  const directoryEnd = 8 + 2 + fields.length * ENTRY_BYTES + 4;
  const tiff = Buffer.alloc(directoryEnd + (hasDensity ? 16 : 0));
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(fields.length, 8);
  let place = directoryEnd;
  fields.forEach(([tag, value], index) => {
    const at = 10 + index * ENTRY_BYTES;
    tiff.writeUInt16LE(tag, at);
    tiff.writeUInt16LE(typeof value === 'number' ? SHORT : RATIONAL, at + 2);
    tiff.writeUInt32LE(1, at + 4);
    if (typeof value === 'number') {
      tiff.writeUInt16LE(value, at + 8);
    } else {
      tiff.writeUInt32LE(place, at + 8);
      tiff.writeUInt32LE(value[0], place);
      tiff.writeUInt32LE(value[1], place + 4);
      place += 8;
    }
  });
  return tiff;
}
