/** Pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Any size within limits. */
export interface SizeRule {
  readonly kind: 'flexible';
  /** Both edges must be multiples of this number of pixels. */
  readonly multipleOf: number;
  /** Maximum ratio of the longest to the shortest edge. */
  readonly maxRatio: number;
  readonly maxLongEdge: number;
  readonly maxShortEdge: number;
  /** Width times height. */
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** The sizes that a model accepts. */
export type ModelSizes = { readonly kind: 'listed'; readonly sizes: readonly string[] } | SizeRule;

/** Parses `1024x1536`; null if it has another format. */
export function parseSize(size: string): PixelSize | null {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size);
  return match ? { width: Number(match[1]), height: Number(match[2]) } : null;
}

const format = ({ width, height }: PixelSize) => `${width}x${height}`;

/**
 * Completes "<model> …" with what the model accepts instead of this size; null if it accepts it.
 */
export function sizeProblem(sizes: ModelSizes, size: PixelSize): string | null {
  if (sizes.kind === 'listed') {
    return sizes.sizes.includes(format(size)) ? null : `accepts ${sizes.sizes.join(', ')}`;
  }
  if (fits(sizes, size)) return null;
  const { multipleOf, maxRatio, maxLongEdge, maxShortEdge, minPixels, maxPixels } = sizes;
  const count = (pixels: number) => pixels.toLocaleString('en');
  const limits = [
    multipleOf > 1 && `both divisible by ${multipleOf}`,
    `no edge above ${maxLongEdge}`,
    maxShortEdge < maxLongEdge && `the shorter edge at most ${maxShortEdge}`,
    `a ratio of at most ${maxRatio}:1`,
    Number.isFinite(maxPixels)
      ? `${count(minPixels)} to ${count(maxPixels)} pixels`
      : `at least ${count(minPixels)} pixels`,
  ].filter((limit) => limit !== false);
  return `accepts WIDTHxHEIGHT with ${limits.join(', ')} (nearest: ${nearestSize(sizes, size)})`;
}

function fits(rule: SizeRule, { width, height }: PixelSize): boolean {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  const pixels = width * height;
  return (
    width % rule.multipleOf === 0 &&
    height % rule.multipleOf === 0 &&
    long <= rule.maxRatio * short &&
    long <= rule.maxLongEdge &&
    short <= rule.maxShortEdge &&
    pixels >= rule.minPixels &&
    pixels <= rule.maxPixels
  );
}

/**
 * The accepted size that is nearest to an image: `size: "source"`. Of listed sizes, the one with
 * the nearest ratio. By a rule, the nearest ratio first (clamped to the model's widest), then the
 * image's own size: small images are scaled up, large ones down.
 */
export function nearestSize(sizes: ModelSizes, image: PixelSize): string {
  if (sizes.kind === 'listed') return nearestListed(sizes.sizes, image);
  const size = nearestFlexible(sizes, image);
  if (size === null) throw new RangeError('No size satisfies the rule.');
  return format(size);
}

function nearestListed(sizes: readonly string[], image: PixelSize): string {
  const distance = (size: string) => {
    const parsed = parseSize(size);
    return parsed === null
      ? Number.POSITIVE_INFINITY
      : Math.abs(Math.log(parsed.width / parsed.height / (image.width / image.height)));
  };
  return sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
}

/** Weight of a difference in ratio relative to a difference in size. */
const RATIO_WEIGHT = 8;

/**
 * Tries every short edge with the two valid long edges that are nearest to the image's ratio: a few
 * hundred sizes. Null if no size satisfies the rule.
 */
function nearestFlexible(rule: SizeRule, image: PixelSize): PixelSize | null {
  const isWide = image.width >= image.height;
  const ownRatio = Math.max(image.width, image.height) / Math.min(image.width, image.height);
  const ratio = Math.min(ownRatio, rule.maxRatio);
  const { multipleOf: step, maxLongEdge } = rule;
  let best: PixelSize | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let short = step; short <= Math.min(rule.maxShortEdge, maxLongEdge); short += step) {
    const from = Math.ceil(Math.max(short, rule.minPixels / short) / step) * step;
    const most = Math.min(maxLongEdge, rule.maxRatio * short, rule.maxPixels / short);
    const to = Math.floor(most / step) * step;
    if (from > to) continue;
    const below = Math.floor((short * ratio) / step) * step;
    for (const wanted of [below, below + step]) {
      const long = Math.min(Math.max(wanted, from), to);
      const distance =
        RATIO_WEIGHT * Math.abs(Math.log(long / short / ratio)) +
        Math.abs(Math.log((long * short) / (image.width * image.height)));
      if (distance >= least) continue;
      best = isWide ? { width: long, height: short } : { width: short, height: long };
      least = distance;
    }
  }
  return best;
}

/** Whether any size satisfies the rule. */
export function hasSizes(rule: SizeRule): boolean {
  return nearestFlexible(rule, { width: 1, height: 1 }) !== null;
}

/**
 * The sizes that include the one with the most tokens, if the model chooses: all listed ones; by a
 * rule, the largest square and the longest. Null if sizes are unknown.
 */
export function extremeSizes(sizes: ModelSizes | null): readonly PixelSize[] | null {
  if (sizes === null) return null;
  if (sizes.kind === 'listed') return sizes.sizes.flatMap((size) => parseSize(size) ?? []);
  const { maxLongEdge: edge, maxPixels } = sizes;
  const square = Math.min(edge, Math.sqrt(maxPixels));
  return [
    { width: square, height: square },
    { width: edge, height: Math.min(edge, maxPixels / edge) },
  ];
}
