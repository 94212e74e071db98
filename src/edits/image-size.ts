import type { ModelSizes } from '../edits-api/models.ts';

export interface Dimensions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** `1024x1536`; null when it is not of that form. */
export function parseSize(size: string): Dimensions | null {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size);
  return match ? { width: Number(match[1]), height: Number(match[2]) } : null;
}

const format = ({ width, height }: Dimensions) => `${width}x${height}`;

/** Why a model does not take this size, or null when it does. */
export function sizeProblem(sizes: ModelSizes, size: Dimensions): string | null {
  if (sizes.kind === 'listed') {
    return sizes.sizes.includes(format(size)) ? null : `takes ${sizes.sizes.join(', ')}`;
  }
  const { multipleOf, maxRatio, maxLongEdge, maxShortEdge } = sizes;
  const long = Math.max(size.width, size.height);
  const short = Math.min(size.width, size.height);
  const fits =
    size.width % multipleOf === 0 &&
    size.height % multipleOf === 0 &&
    long / short <= maxRatio &&
    long <= maxLongEdge &&
    short <= maxShortEdge;
  return fits
    ? null
    : `takes WIDTHxHEIGHT with both divisible by ${multipleOf}, a ratio of at most ${maxRatio}:1, and at most ${maxLongEdge}x${maxShortEdge}`;
}

/** The model's size that comes nearest to a picture's shape: `size: "source"`. */
export function nearestSize(sizes: ModelSizes, picture: Dimensions): string {
  if (sizes.kind === 'flexible') return nearestFlexibleSize(sizes, picture);
  const distance = (size: string) => {
    const parsed = parseSize(size);
    return parsed === null
      ? Number.POSITIVE_INFINITY
      : Math.abs(Math.log(parsed.width / parsed.height / (picture.width / picture.height)));
  };
  return sizes.sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
}

/** The picture's own size, scaled down where it is too large and rounded to the model's grid. */
function nearestFlexibleSize(
  sizes: Extract<ModelSizes, { kind: 'flexible' }>,
  picture: Dimensions,
): string {
  const { multipleOf, maxRatio, maxLongEdge, maxShortEdge } = sizes;
  const isWide = picture.width >= picture.height;
  const long = Math.max(picture.width, picture.height);
  const short = Math.max(Math.min(picture.width, picture.height), long / maxRatio);
  const scale = Math.min(1, maxLongEdge / long, maxShortEdge / short);
  const round = (edge: number) => Math.max(multipleOf, Math.floor(edge / multipleOf) * multipleOf);
  const shortEdge = Math.min(round(Math.max(short * scale, multipleOf)), maxShortEdge);
  const longEdge = Math.min(round(long * scale), shortEdge * maxRatio);
  return isWide ? `${longEdge}x${shortEdge}` : `${shortEdge}x${longEdge}`;
}
