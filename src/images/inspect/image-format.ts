/** The formats that the edits API accepts and returns. */
export type ImageFormat = 'png' | 'jpeg' | 'webp';

export type ImageContentType = 'image/png' | 'image/jpeg' | 'image/webp';

/** File extensions have no dot. */
export const IMAGE_FORMATS: Readonly<
  Record<ImageFormat, { readonly contentType: ImageContentType; readonly extension: string }>
> = {
  png: { contentType: 'image/png', extension: 'png' },
  jpeg: { contentType: 'image/jpeg', extension: 'jpg' },
  webp: { contentType: 'image/webp', extension: 'webp' },
};

/** With this many bytes, the result of `sniffImage` is final. */
export const SNIFF_BYTES = 32;

export type Sniffed =
  | { readonly format: ImageFormat }
  /** The actual format, for a message ("a PDF document"). */
  | { readonly format: null; readonly instead: string };

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** Detects a format by its first bytes only, never by a name or a declared type. */
export function sniffImage(head: Buffer): Sniffed {
  if (head.subarray(0, 8).equals(PNG_SIGNATURE)) return { format: 'png' };
  if (startsWith(head, 'ffd8ff')) return { format: 'jpeg' };
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP') return { format: 'webp' };
  return { format: null, instead: nameOther(head) };
}

function nameOther(head: Buffer): string {
  if (head.length === 0) return 'empty';
  if (/^GIF8[79]a/.test(ascii(head, 0, 6))) return 'a GIF image';
  if (startsWith(head, '49492a00') || startsWith(head, '4d4d002a')) return 'a TIFF image';
  if (ascii(head, 0, 2) === 'BM') return 'a BMP image';
  if (ascii(head, 4, 8) === 'ftyp') return nameIsoMedia(ascii(head, 8, 12));
  if (startsWith(head, 'ff0a') || ascii(head, 4, 8) === 'JXL ') return 'a JPEG XL image';
  if (ascii(head, 0, 5) === '%PDF-') return 'a PDF document';
  if (startsWith(head, '504b0304')) return 'a ZIP archive';
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
    .toLowerCase();
  if (text.startsWith('<svg')) return 'an SVG document';
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'an HTML document';
  if (text.startsWith('<?xml')) return 'an XML or SVG document';
  return 'not an image in a known format';
}

/** ISO base media files name their brand: HEIC and AVIF images, but also MP4 videos. */
function nameIsoMedia(brand: string): string {
  if (brand === 'avif' || brand === 'avis') return 'an AVIF image';
  if (/^(hei|hev|mif1|msf1)/.test(brand)) return 'a HEIC image';
  return 'an MP4 or similar media file';
}

function startsWith(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).toString('hex') === hex;
}

function ascii(head: Buffer, start: number, end: number): string {
  return head.subarray(start, end).toString('latin1');
}
