import { expect, it } from 'vitest';
import { sniffImage } from '../../../src/images/inspect/image-format.ts';
import { jpeg, png, webp } from '../../support/test-images.ts';

const made = { png, jpeg, webp };
const FORMATS = ['png', 'jpeg', 'webp'] as const;

it.each(FORMATS)('knows a %s by its first bytes', async (format) => {
  expect(sniffImage((await made[format]()).subarray(0, 32))).toEqual({ format });
});

it.each([
  ['a GIF image', Buffer.from('GIF89a<script>alert(1)</script>')],
  ['a TIFF image', Buffer.from('49492a0008000000', 'hex')],
  ['a TIFF image', Buffer.from('4d4d002a00000008', 'hex')],
  ['a BMP image', Buffer.from('BM\0\0\0\0')],
  ['a HEIC image', Buffer.from('\0\0\0\x18ftypheic')],
  ['an AVIF image', Buffer.from('\0\0\0\x18ftypavif')],
  ['an MP4 or similar media file', Buffer.from('\0\0\0\x18ftypisom')],
  ['a JPEG XL image', Buffer.from('\0\0\0\x0cJXL \r\n')],
  ['a PDF document', Buffer.from('%PDF-1.7\n')],
  ['a ZIP archive', Buffer.from('PK\x03\x04')],
  ['an SVG document', Buffer.from('\uFEFF  <svg xmlns="">')],
  ['an XML or SVG document', Buffer.from('<?xml version="1.0"?><svg/>')],
  ['an HTML document', Buffer.from('\n<!DOCTYPE html><p>')],
  ['not an image in a known format', Buffer.from('hello, this is text')],
  ['not an image in a known format', Buffer.from('RIFF\0\0\0\0WAVE')],
  ['empty', Buffer.alloc(0)],
])('names %s for what it is', (instead, head) => {
  expect(sniffImage(head)).toEqual({ format: null, instead });
});
