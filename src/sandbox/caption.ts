/** A part of an image, in pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** In a narrower region, text is unreadable. */
const MIN_TEXT_WIDTH_PX = 96;
const MAX_LINES = 6;
/** A prompt may have 32,000 characters; text that cannot fit need not be measured. */
const MAX_CHARACTERS = 600;

/**
 * The frame and the prompt as an SVG of the region's size. All text is escaped, and characters that
 * XML does not allow (control characters, lone surrogates) are dropped, so a prompt remains text.
 * `centred` is for regions of any shape, of which the middle is most likely visible.
 */
export function captionSvg(
  region: Region,
  caption: { heading: string; prompt: string; color: string; centred: boolean },
): Buffer {
  const { width, height } = region;
  const edge = Math.max(2, Math.round(Math.min(width, height) / 64));
  const parts = [
    `<rect x="${edge / 2}" y="${edge / 2}" width="${width - edge}" height="${height - edge}" ` +
      `fill="none" stroke="${caption.color}" stroke-width="${edge}"/>`,
  ];
  if (width >= MIN_TEXT_WIDTH_PX) {
    const fontPx = Math.max(12, Math.round(Math.min(width, height) / 24));
    const lineHeightPx = Math.round(fontPx * 1.35);
    const room = Math.floor((height / 2 - fontPx) / lineHeightPx) - 1;
    const lines = wrap(caption.prompt, (width - 4 * edge - fontPx) / fontPx);
    const shown = lines.slice(0, Math.max(0, Math.min(room, MAX_LINES)));
    if (shown.length < lines.length) shown.push(`${shown.pop() ?? ''}…`);
    const panelHeight = (shown.length + 1) * lineHeightPx + fontPx;
    const panelTop = caption.centred
      ? Math.round((height - panelHeight) / 2)
      : height - edge - panelHeight;
    const [textLeft, anchor] = caption.centred
      ? [width / 2, 'middle']
      : [2 * edge + fontPx / 2, 'start'];
    parts.push(
      `<rect x="${edge}" y="${panelTop}" width="${width - 2 * edge}" height="${panelHeight}" ` +
        'fill="#1c1410" fill-opacity="0.72"/>',
    );
    for (const [index, line] of [caption.heading, ...shown].entries()) {
      const baseline = panelTop + fontPx / 2 + (index + 0.8) * lineHeightPx;
      parts.push(
        `<text x="${textLeft}" y="${Math.round(baseline)}" text-anchor="${anchor}" ` +
          `font-family="sans-serif" font-size="${index === 0 ? fontPx * 0.8 : fontPx}" ` +
          `fill="${index === 0 ? caption.color : '#ffffff'}">${escapeXml(line)}</text>`,
      );
    }
  }
  const size = `width="${width}" height="${height}"`;
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${parts.join('')}</svg>`);
}

/**
 * Breaks text into lines of at most `maxEms` estimated widths: at spaces, or between characters in
 * scripts without spaces. A word longer than a line is cut.
 */
function wrap(text: string, maxEms: number): string[] {
  const plain = text
    .slice(0, 4 * MAX_CHARACTERS)
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const lines: string[] = [];
  let line = '';
  let lineEms = 0;
  const flush = () => {
    if (line.trim() !== '') lines.push(line.trim());
    line = '';
    lineEms = 0;
  };
  for (const word of words(plain)) {
    const ems = word.reduce((sum, one) => sum + one.ems, 0);
    if (lineEms + ems > maxEms && ems <= maxEms) flush();
    for (const one of word) {
      if (lineEms + one.ems > maxEms) flush();
      line += one.character;
      lineEms += one.ems;
    }
  }
  flush();
  return lines;
}

interface Character {
  readonly character: string;
  readonly ems: number;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\p{Extended_Pictographic}]/u;

function words(text: string): Character[][] {
  const found: Character[][] = [];
  let word: Character[] = [];
  let seen = 0;
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  for (const { segment } of graphemes) {
    seen += 1;
    if (seen > MAX_CHARACTERS) break;
    const wide = WIDE.test(segment);
    word.push({ character: segment, ems: wide ? 1 : 0.58 });
    if (wide || segment === ' ') {
      found.push(word);
      word = [];
    }
  }
  found.push(word);
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeXml(text: string): string {
  return text.replace(/[\ufffe\uffff]/g, '').replace(/[&<>"']/g, (one) => ESCAPES[one] ?? '');
}
