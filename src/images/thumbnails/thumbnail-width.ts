/** The widths that are made, in pixels: few, so that a client cannot fill the disk with sizes. */
export const THUMBNAIL_WIDTHS = [64, 128, 256, 512, 1024] as const;

export type ThumbnailWidth = (typeof THUMBNAIL_WIDTHS)[number];

/** The smallest width made that is at least `width` pixels, or null when none is. */
export function thumbnailWidth(width: number): ThumbnailWidth | null {
  if (!Number.isInteger(width) || width < 1) return null;
  return THUMBNAIL_WIDTHS.find((made) => made >= width) ?? null;
}
