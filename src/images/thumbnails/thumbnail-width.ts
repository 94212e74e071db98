/**
 * The available widths, in pixels. They are few, so that a client cannot fill the disk with sizes.
 */
export const THUMBNAIL_WIDTHS = [64, 128, 256, 512, 1024] as const;

export type ThumbnailWidth = (typeof THUMBNAIL_WIDTHS)[number];

/** The smallest available width that is at least `width` pixels; null if there is none. */
export function thumbnailWidth(width: number): ThumbnailWidth | null {
  if (!Number.isInteger(width) || width < 1) return null;
  return THUMBNAIL_WIDTHS.find((made) => made >= width) ?? null;
}
